import * as pulumi from "@pulumi/pulumi";
import { OUR_MANAGERS } from "./cluster/fieldOwners";
import type { ReleaseName } from "./delivery/releaseReader";
import { raftLayer } from "./raftLayer";
import { valuesLayer } from "./valuesLayer";

const TYPE = "openbao-migration:components:OpenBaoRelease";

export interface OpenBaoReleaseArgs extends ReleaseName {
  /** `server.ha.raft.config`: the server's own config with the storage stanza changed. */
  readonly raftConfig: pulumi.Input<string | object>;
  /** True once the live release is on Raft: what Git says counts from then on, and no input is written again. */
  readonly applied: boolean;
}

/** The values layer that takes the release from standalone to ha.raft; step flip has it applied. */
export class OpenBaoRelease extends pulumi.ComponentResource {
  constructor(name: string, args: OpenBaoReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    const { namespace, release, delivery } = args;
    valuesLayer(
      name,
      {
        ...{ namespace, release, ...(delivery !== undefined && { delivery }) },
        ...{ manager: OUR_MANAGERS.values, layer: "raft", values: raftLayer(args.raftConfig, delivery) },
      },
      // Removing the layer would take the server back to an old, stale file storage: only a rollback may do that.
      {
        parent: this,
        retainOnDelete: true,
        ...(args.applied && { ignoreChanges: [delivery === "helm" ? "data" : "spec", "metadata"] }),
      },
    );
    this.registerOutputs({});
  }
}
