import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

/** Stage verify: full content comparison, failover drill, Services and audit devices of every node. */
export class VerifyStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("verify", "openbao-migration:components:VerifyStage", name, args.config, opts);
    this.steps();
    this.registerOutputs({});
  }
}
