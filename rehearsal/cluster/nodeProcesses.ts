import { join } from "node:path";
import { toolPath } from "../tools/tools";
import { componentKubeconfig } from "./kubeconfigs";
import type { NodeLayout } from "./layout";
import { containerdConfig, kubeletConfig, kubeProxyConfig } from "./nodeFiles";
import type { ProcessSpec } from "./processes";

export function containerdSpec(node: NodeLayout): ProcessSpec {
  return {
    name: `${node.name}-containerd`,
    netns: node.netns,
    argv: [toolPath("containerd"), "--config", join(node.dir, "containerd.toml")],
    inputs: [containerdConfig(node)],
  };
}

export function kubeletSpec(node: NodeLayout): ProcessSpec {
  const flags = [
    `--config=${join(node.dir, "kubelet.yaml")}`,
    `--kubeconfig=${componentKubeconfig(`${node.name}-client`)}`,
    `--root-dir=${join(node.dir, "kubelet")}`,
    `--cert-dir=${join(node.dir, "kubelet", "pki")}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    "--v=0",
  ];
  return {
    name: `${node.name}-kubelet`,
    netns: node.netns,
    argv: [toolPath("kubelet"), ...flags],
    inputs: [JSON.stringify(kubeletConfig(node))],
  };
}

export function kubeProxySpec(node: NodeLayout): ProcessSpec {
  return {
    name: `${node.name}-kube-proxy`,
    netns: node.netns,
    argv: [toolPath("kube-proxy"), `--config=${join(node.dir, "kube-proxy.yaml")}`, "--v=0"],
    inputs: [JSON.stringify(kubeProxyConfig(node))],
  };
}
