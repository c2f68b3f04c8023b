import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { toolPath } from "../tools/tools";
import { PAUSE_IMAGE } from "./imageSpecs";
import { componentKubeconfig } from "./kubeconfigs";
import { CLUSTER_DOMAIN, DNS_ADDRESS, POD_CIDR, type NodeLayout } from "./layout";
import { pkiFile } from "./pki";

export function containerdSocket(node: NodeLayout): string {
  return join(node.dir, "containerd.sock");
}

/** Text of containerd's configuration. @returns TOML */
export function containerdConfig(node: NodeLayout): string {
  const quote = JSON.stringify;
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = ${quote(join(node.dir, "containerd"))}
state = ${quote(join(node.dir, "run"))}
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", \
"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", \
"io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = ${quote(containerdSocket(node))}
[debug]
  level = "warn"
[${cri}]
  sandbox_image = ${quote(PAUSE_IMAGE)}
  # Without this a container that asks for a lower score than ours is refused on machines that forbid it.
  restrict_oom_score_adj = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 3
  [${cri}.cni]
    bin_dir = ${quote(dirname(toolPath("bridge")))}
    conf_dir = ${quote(join(node.dir, "cni"))}
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        BinaryName = ${quote(toolPath("runc"))}
        Root = ${quote(join(node.dir, "run", "runc"))}
        SystemdCgroup = false
`;
}

/** The pod network of one node. */
export function cniConfig(node: NodeLayout): object {
  const range = { subnet: node.podCidr, gateway: node.podGateway };
  const ipam = {
    type: "host-local",
    dataDir: join(node.dir, "ipam"),
    ranges: [[range]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, hairpinMode: true, ipam };
  const portmap = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "rehearsal", plugins: [bridge, portmap] };
}

/** KubeletConfiguration of one node. */
export function kubeletConfig(node: NodeLayout): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: node.address,
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile("ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pkiFile(`${node.name}-server.crt`),
    tlsPrivateKeyFile: pkiFile(`${node.name}-server.key`),
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: join(node.dir, "resolv.conf"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${node.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    podLogsDir: join(node.dir, "pod-logs"),
    volumePluginDir: join(node.dir, "volume-plugins"),
    containerLogMaxSize: "5Mi",
    containerLogMaxFiles: 2,
    serializeImagePulls: false,
    // Images are imported by hand: one that was collected could never be pulled again.
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    // Counting the files of every volume is work that nobody reads here.
    volumeStatsAggPeriod: "-1s",
    maxPods: 60,
    registerNode: true,
    enableProfilingHandler: false,
    shutdownGracePeriod: "0s",
  };
}

/** KubeProxyConfiguration of one node. */
export function kubeProxyConfig(node: NodeLayout): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clientConnection: { kubeconfig: componentKubeconfig("kube-proxy") },
    clusterCIDR: POD_CIDR,
    hostnameOverride: node.name,
    oomScoreAdj: 0,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    // The machine's connection tracking table is the host's business.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

/** Writes every file that the node's programs read. */
export function writeNodeFiles(node: NodeLayout): void {
  for (const folder of ["", "cni", "ipam", "kubelet", "pod-logs", "volume-plugins"]) {
    mkdirSync(join(node.dir, folder), { recursive: true, mode: 0o755 });
  }
  const files = {
    "containerd.toml": containerdConfig(node),
    "cni/10-rehearsal.conflist": JSON.stringify(cniConfig(node), null, 2),
    "kubelet.yaml": stringify(kubeletConfig(node)),
    "kube-proxy.yaml": stringify(kubeProxyConfig(node)),
    // There is nothing to resolve outside the cluster; the host's own servers are no business of its pods.
    "resolv.conf": "",
  };
  for (const [name, text] of Object.entries(files)) writeChanged(join(node.dir, name), text);
}

/** A file that says so already stays: kube-proxy ends when its own is written, whatever is in it. */
function writeChanged(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  writeFileSync(path, text);
}
