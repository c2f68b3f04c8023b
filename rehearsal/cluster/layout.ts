import { cacheDir } from "../cache";

/** One node of the rehearsal cluster: its names, addresses and folders. */
export interface NodeLayout {
  readonly name: string;
  readonly index: number;
  readonly netns: string;
  /** Address on the node network. */
  readonly address: string;
  /** The node's share of the pod network. */
  readonly podCidr: string;
  readonly podGateway: string;
  readonly cgroup: string;
  /** The node's own folder: containerd, kubelet, CNI, logs. */
  readonly dir: string;
}

/** Names that everything of this cluster starts with, so that `down` can find leftovers. */
export const PREFIX = "obr";
/** StorageClass of volumes that are small file systems of their own, for faults that fill one. */
export const SMALL_STORAGE_CLASS = "rehearsal-small";
export const NODE_COUNT = 3;
export const CONTEXT = "rehearsal";

export const HOST_ADDRESS = "10.89.0.1";
export const NODE_PREFIX_LENGTH = 24;
export const POD_CIDR = "10.98.0.0/16";
export const SERVICE_CIDR = "10.97.0.0/16";
export const API_SERVICE_ADDRESS = "10.97.0.1";
export const DNS_ADDRESS = "10.97.0.10";
export const CLUSTER_DOMAIN = "cluster.local";
export const API_PORT = 6443;
export const API_URL = `https://${HOST_ADDRESS}:${API_PORT}`;
/** Not etcd's usual port: an etcd of the user's own may hold that one. */
export const ETCD_CLIENT_URL = "https://127.0.0.1:23791";
export const ETCD_PEER_URL = "http://127.0.0.1:23801";

/** The bridge lives in a namespace of its own, so the host's firewall never sees node-to-node traffic. */
export const LAN_NETNS = `${PREFIX}-lan`;
export const BRIDGE = `${PREFIX}-br0`;
export const HOST_LINK = `${PREFIX}-host`;

/** cgroup of everything that is ours; processes that are no container sit in its `system` child. */
export const CGROUP = PREFIX;
export const SYSTEM_CGROUP = `${PREFIX}/system`;

/** A path below the cluster's folder in the cache. */
export function clusterDir(...parts: string[]): string {
  return cacheDir("cluster", ...parts);
}

/** The admin kubeconfig (context `rehearsal`), mode 0600. */
export function kubeconfigPath(): string {
  return clusterDir("admin.kubeconfig");
}

/** The API server's audit log: one JSON event a line; the bodies of writes but those of Secrets. */
export function auditLogPath(): string {
  return clusterDir("audit", "audit.log");
}

/** Where the stand-in provisioner keeps the volumes; every node sees it at this path. */
export function volumesDir(): string {
  return clusterDir("volumes");
}

/**
 * Names and addresses of one node.
 * @param index 1 to NODE_COUNT.
 * @throws when the index is out of range.
 */
export function nodeLayout(index: number): NodeLayout {
  if (!Number.isInteger(index) || index < 1 || index > NODE_COUNT) {
    throw new Error(`Node index ${index} was asked for; it must be 1 to ${NODE_COUNT}. This is a bug.`);
  }
  const name = `node-${index}`;
  return {
    name,
    index,
    netns: `${PREFIX}-${name}`,
    address: `10.89.0.${10 + index}`,
    podCidr: `10.98.${index}.0/24`,
    podGateway: `10.98.${index}.1`,
    cgroup: `${CGROUP}/${name}`,
    dir: clusterDir(name),
  };
}

/** All nodes, in order. */
export function nodeLayouts(): NodeLayout[] {
  return Array.from({ length: NODE_COUNT }, (_, i) => nodeLayout(i + 1));
}
