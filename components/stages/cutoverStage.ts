import * as pulumi from "@pulumi/pulumi";
import { OpenBaoRelease } from "../openBaoRelease";
import { carryPath, READY_BY } from "../steps/carryPath";
import { RESOURCES } from "../steps/plan";
import { MigrationStage, type StageArgs } from "./stage";

export interface CutoverStageArgs extends StageArgs {
  /** `server.ha.raft.config` made from the live standalone config; absent for a source on Raft. */
  readonly raftConfig?: pulumi.Input<string | object>;
  /** Largest entry in bytes that both `bao operator migrate` and the server must take. */
  readonly maxEntryBytes: number;
  /** True once the live release is on Raft. */
  readonly applied: boolean;
}

/** Stage cutover: pause, stop, carry the data over, flip the release to Raft with one node, unseal, compare. */
export class CutoverStage extends MigrationStage {
  constructor(name: string, args: CutoverStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cutover", "openbao-migration:components:CutoverStage", name, args.config, opts);
    const { namespace, release, delivery } = args.config;
    const { maxEntryBytes } = args;
    this.steps("flip", { stop: { maxEntryBytes }, carry: { maxEntryBytes } });
    const { raftConfig } = args;
    const ready = this.after([READY_BY[carryPath(args.config)]]);
    if (raftConfig === undefined) this.stand(RESOURCES.release, ready);
    else {
      this.place(
        RESOURCES.release,
        new OpenBaoRelease(
          `${name}-release`,
          { namespace, release, delivery, raftConfig, applied: args.applied },
          { parent: this, dependsOn: ready },
        ),
      );
    }
    this.steps();
    this.registerOutputs({});
  }
}
