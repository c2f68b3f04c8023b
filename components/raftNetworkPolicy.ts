import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { POLICY_NAME } from "./gate/readPolicies";

const TYPE = "openbao-migration:components:RaftNetworkPolicy";

/** Join challenge on the API port, replication on the cluster port; both are needed (hazard H4, platform#1985). */
const PORTS = [
  { protocol: "TCP", port: 8200 },
  { protocol: "TCP", port: 8201 },
];

export interface RaftNetworkPolicyArgs {
  /** Namespace of the server. */
  readonly namespace: string;
  /** HelmRelease, and so the value of the pods' instance label. */
  readonly release: string;
  /**
   * Directions in which the user's own policies restrict the server's pods. A free direction stays free: a first
   * egress rule would cut DNS and the API server off, a first ingress rule the clients. With none, no policy is made.
   */
  readonly directions: readonly Direction[];
}

export type Direction = "Ingress" | "Egress";

/** Lets the server's pods reach each other on both Raft ports, in the directions in which they are restricted. */
export class RaftNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: RaftNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    if (args.directions.length > 0) {
      new k8s.networking.v1.NetworkPolicy(
        name,
        {
          metadata: {
            name: POLICY_NAME,
            namespace: args.namespace,
            labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" },
          },
          spec: raftPolicySpec(
            args.release,
            args.directions,
          ) as k8s.types.input.networking.v1.NetworkPolicySpec,
        },
        // Kept when a rollback, or the stack's end, drops it from the program: running Raft nodes need the ports.
        { parent: this, retainOnDelete: true },
      );
    }
    this.registerOutputs({});
  }
}

/** The labels by which the program's policies select the server; the probe pods carry them (ADR 0003). */
export function serverLabels(release: string): Record<string, string> {
  return { "app.kubernetes.io/name": "openbao", "app.kubernetes.io/instance": release };
}

/** Pure: the policy's spec. It names the labels that the probe pods carry, too. */
export function raftPolicySpec(release: string, directions: readonly Direction[]) {
  const server = { matchLabels: serverLabels(release) };
  return {
    podSelector: server,
    policyTypes: [...directions],
    ...(directions.includes("Ingress") && { ingress: [{ from: [{ podSelector: server }], ports: PORTS }] }),
    ...(directions.includes("Egress") && { egress: [{ to: [{ podSelector: server }], ports: PORTS }] }),
  };
}
