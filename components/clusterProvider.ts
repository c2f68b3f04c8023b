import * as k8s from "@pulumi/kubernetes";
import type { MigrationConfig } from "../config";

/** The Kubernetes provider of all layers, for the cluster that the gate has looked at. */
export function clusterProvider({
  context,
  delivery,
}: Pick<MigrationConfig, "context" | "delivery">): k8s.Provider {
  return new k8s.Provider("cluster", {
    // Empty: the plugin reads KUBECONFIG itself, as kubectl does. Given any value, and the SDK's own default is one, it
    // leaves a copy with the client's key in the temporary folder at every run (seen with 4.25.0).
    kubeconfig: "",
    ...(context !== undefined && { context }),
    // A values layer for Helm is changed in place, not replaced.
    ...(delivery === "helm" && { enableConfigMapMutable: true }),
  });
}
