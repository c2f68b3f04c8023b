import * as pulumi from "@pulumi/pulumi";
import { OpenBaoRelease } from "../openBaoRelease";
import { RESOURCES } from "../steps/plan";
import { MigrationStage, type StageArgs } from "./stage";

export interface CutoverStageArgs extends StageArgs {
  /** `server.ha.raft.config` made from the live standalone config. */
  readonly raftConfig: pulumi.Input<string | object>;
  /** Largest entry in bytes that both `bao operator migrate` and the server must take. */
  readonly maxEntryBytes: number;
  /** True once the live release is on Raft. */
  readonly applied: boolean;
}

/** Stage cutover: pause, stop, carry the data over, flip the release to Raft with one node, unseal, compare. */
export class CutoverStage extends MigrationStage {
  constructor(name: string, args: CutoverStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cutover", "openbao-migration:components:CutoverStage", name, args.config, opts);
    const { namespace, release } = args.config;
    this.steps("flip", { carry: { maxEntryBytes: args.maxEntryBytes } });
    this.place(
      RESOURCES.release,
      new OpenBaoRelease(
        `${name}-release`,
        { namespace, release, raftConfig: args.raftConfig, applied: args.applied },
        { parent: this, dependsOn: this.after(["carry"]) },
      ),
    );
    this.steps();
    this.registerOutputs({});
  }
}
