import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { networkPolicyObject, type Direction } from "./raftPolicyObjects";

const TYPE = "openbao-migration:components:RaftNetworkPolicy";

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

/** Lets the server's pods reach each other on both Raft ports, in the directions in which they are restricted. */
export class RaftNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: RaftNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    if (args.directions.length > 0) {
      const { metadata, spec } = networkPolicyObject(args, args.directions);
      new k8s.networking.v1.NetworkPolicy(
        name,
        { metadata, spec: spec as unknown as k8s.types.input.networking.v1.NetworkPolicySpec },
        // Kept when a rollback, or the stack's end, drops it from the program: running Raft nodes need the ports.
        { parent: this, retainOnDelete: true },
      );
    }
    this.registerOutputs({});
  }
}
