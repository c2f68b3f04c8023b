import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

/** Stage backup: content inventory, and a checked copy of the file storage with its ciphertext manifest. */
export class BackupStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("backup", "openbao-migration:components:BackupStage", name, args.config, opts);
    this.steps();
    this.registerOutputs({});
  }
}
