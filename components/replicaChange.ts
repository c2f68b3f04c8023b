import * as pulumi from "@pulumi/pulumi";
import { OUR_MANAGERS } from "./cluster/fieldOwners";
import type { ReleaseName } from "./delivery/releaseReader";
import { valuesLayer } from "./valuesLayer";

const TYPE = "openbao-migration:components:ReplicaChange";

export interface ReplicaChangeArgs extends ReleaseName {
  /** `server.ha.replicas`; a number, since the chart renders 3 for anything else (hazard I35). */
  readonly replicas: number;
}

/** The values layer with the replica count; written when all nodes are voters already, so it starts no pod. */
export class ReplicaChange extends pulumi.ComponentResource {
  constructor(name: string, args: ReplicaChangeArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    const { replicas, ...release } = args;
    valuesLayer(
      name,
      {
        ...release,
        manager: OUR_MANAGERS.replicas,
        layer: "replicas",
        values: { server: { ha: { replicas } } },
      },
      // Taking the count back to 1 by removing a resource would cost the quorum.
      { parent: this, retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}
