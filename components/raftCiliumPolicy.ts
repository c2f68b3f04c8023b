import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { POLICY_NAME, RAFT_PORTS } from "./gate/readPolicies";
import { serverLabels, type Direction } from "./raftNetworkPolicy";

const TYPE = "openbao-migration:components:RaftCiliumPolicy";

export interface RaftCiliumPolicyArgs {
  /** Namespace of the server. */
  readonly namespace: string;
  /** HelmRelease, and so the value of the pods' instance label. */
  readonly release: string;
  /**
   * Directions in which Cilium's own policies restrict the server's pods. A rule makes its direction default-deny, so
   * that a free one gets none (hazard F46). With none, no policy is made, and no CRD of Cilium's is needed.
   */
  readonly directions: readonly Direction[];
}

/** The same as RaftNetworkPolicy where CiliumNetworkPolicies restrict: their default-deny is opened in their own kind. */
export class RaftCiliumPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: RaftCiliumPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    if (args.directions.length > 0) {
      new k8s.apiextensions.CustomResource(
        name,
        {
          apiVersion: "cilium.io/v2",
          kind: "CiliumNetworkPolicy",
          metadata: {
            name: POLICY_NAME,
            namespace: args.namespace,
            labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" },
          },
          spec: ciliumPolicySpec(args.release, args.directions),
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

/** Pure: the policy's spec. Cilium takes ports as text, and a peer selector means the policy's own namespace. */
export function ciliumPolicySpec(release: string, directions: readonly Direction[]) {
  const server = { matchLabels: serverLabels(release) };
  const toPorts = [{ ports: RAFT_PORTS.map((port) => ({ port: String(port), protocol: "TCP" })) }];
  return {
    endpointSelector: server,
    ...(directions.includes("Ingress") && { ingress: [{ fromEndpoints: [server], toPorts }] }),
    ...(directions.includes("Egress") && { egress: [{ toEndpoints: [server], toPorts }] }),
  };
}
