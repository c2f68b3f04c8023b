import { existsSync } from "node:fs";
import { kubeClient } from "../../components/cluster/kubeClient";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { cacheDir } from "../cache";
import { uncordonOurs } from "../injected/cordon";
import { healMachine } from "../injected/heal";
import { takeLock } from "../tools/lock";
import { ensureTools } from "../tools/tools";
import { Api } from "./api";
import { bringUp, clusterSpecs } from "./bringUp";
import { apiIsReady, dnsAnswers, listPods, readyNodes, type PodStatus } from "./health";
import { clusterDir, kubeconfigPath, nodeLayouts } from "./layout";
import { isAlive } from "./processes";
import type { Log } from "./run";
import { readState } from "./state";
import { removeCluster } from "./teardown";

export { auditLogPath, kubeconfigPath, volumesDir } from "./layout";

/** What `status` finds out. */
export interface ClusterStatus {
  /** `up`: everything answers. `partial`: `up` would repair it. `down`: there is none. */
  readonly state: "up" | "partial" | "down";
  readonly apiReady: boolean;
  readonly dnsAnswers: boolean;
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly ready: boolean }[];
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly alive: boolean }[];
  readonly pods: readonly PodStatus[];
}

/** Every binary that the cluster runs or calls. */
const TOOLS = [
  ...[
    "kube-apiserver",
    "kubelet",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "coredns",
    "bao",
  ],
  ...[
    "etcd",
    "containerd",
    "ctr",
    "runc",
    "bridge",
    "busybox",
    "conntrack",
    "ipset",
    "iptables",
    "nft",
    "ip",
    "socat",
    "openssl",
  ],
];

/**
 * Brings the cluster up; one that is up already is left as it is, a half-made or partly dead one is repaired.
 * @throws when the machine cannot run it, or a part does not come up in its time.
 */
export async function up(log: Log): Promise<void> {
  requireRootOnLinux();
  await ensureTools(log, TOOLS);
  await locked(log, async () => {
    // Of a campaign that was killed.
    await healMachine();
    await bringUp(log);
    await healNodes();
  });
}

async function healNodes(): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath());
  const kube = kubeClient(config);
  try {
    await uncordonOurs(kube);
  } finally {
    kube.close();
  }
}

/** Removes the cluster and everything that it left on the machine. Built images stay in the cache. */
export async function down(log: Log): Promise<void> {
  requireRootOnLinux();
  await locked(log, () => removeCluster(log));
}

/** Looks at the cluster and changes nothing. */
export async function status(): Promise<ClusterStatus> {
  const recorded = readState();
  const none = { apiReady: false, dnsAnswers: false, nodes: [], processes: [], pods: [] };
  if (!recorded) return { state: existsSync(clusterDir()) ? "partial" : "down", ...none };
  const processes = clusterSpecs().map(({ name }) => {
    const record = recorded.processes[name];
    return { name, pid: record?.pid ?? 0, alive: isAlive(record) };
  });
  if (!existsSync(kubeconfigPath())) return { state: "partial", ...none, processes };
  const api = new Api();
  try {
    const apiReady = await apiIsReady(api).catch(() => false);
    const ready = await readyNodes(api).catch((): string[] => []);
    const nodes = nodeLayouts().map(({ name, address }) => ({ name, address, ready: ready.includes(name) }));
    const dns = await dnsAnswers();
    const pods = await listPods(api).catch((): PodStatus[] => []);
    const good =
      recorded.phase === "up" &&
      apiReady &&
      dns &&
      [...nodes.map((n) => n.ready), ...processes.map((p) => p.alive)].every(Boolean);
    return { state: good ? "up" : "partial", apiReady, dnsAnswers: dns, nodes, processes, pods };
  } finally {
    api.close();
  }
}

function requireRootOnLinux(): void {
  if (process.platform === "linux" && process.getuid?.() === 0) return;
  throw new Error(
    `The rehearsal cluster needs root on Linux (found: ${process.platform}, user id ${process.getuid?.() ?? "none"}). ` +
      `Run it as root, or rehearse on a cluster of your own with --context.`,
  );
}

async function locked(log: Log, work: () => Promise<void>): Promise<void> {
  const release = await takeLock(cacheDir("cluster.lock"), {
    onWait: (holder) => log(`Process ${holder.pid} is working on the cluster; waiting for it ...`),
    timeoutMs: 600_000,
  });
  try {
    await work();
  } finally {
    release();
  }
}
