import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

/** The way back to the standalone server, in place of every other stage; refused once the move has landed. */
export class RollbackStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("rollback", "openbao-migration:components:RollbackStage", name, args.config, opts);
    this.steps();
    this.registerOutputs({});
  }
}
