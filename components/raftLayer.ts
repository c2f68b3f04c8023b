import type { Input } from "@pulumi/pulumi";
import type { ReleaseName } from "./delivery/releaseReader";

/**
 * Pure: the values of the layer. On a HelmRelease the replica count is not here: it is 1 at the flip and another
 * layer's later, and one field has one owner. Helm's layers lie one over the other, so there it is.
 */
export function raftLayer(raftConfig: Input<string | object>, delivery: ReleaseName["delivery"] = "flux") {
  const raft = { enabled: true, setNodeId: true, config: raftConfig };
  const ha = { enabled: true, ...(delivery === "helm" && { replicas: 1 }), raft };
  return { server: { standalone: { enabled: false }, ha } };
}
