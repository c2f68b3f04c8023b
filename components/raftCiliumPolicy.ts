import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ciliumPolicyObject, type Direction } from "./raftPolicyObjects";

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
        { ...ciliumPolicyObject(args, args.directions) },
        // Kept when it leaves the program, as the NetworkPolicy is: running Raft nodes need the ports.
        { parent: this, retainOnDelete: true },
      );
    }
    this.registerOutputs({});
  }
}
