import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

/** Stage cleanup: removes the kept file storage, of the volume that the config names; only after land. */
export class CleanupStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cleanup", "openbao-migration:components:CleanupStage", name, args.config, opts);
    this.steps();
    this.registerOutputs({});
  }
}
