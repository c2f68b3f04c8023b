import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

export interface BackupStageArgs extends StageArgs {
  /** resourceVersion of the key Secret: a changed one runs step key-proof again. */
  readonly keySecretVersion?: string;
}

/** Stage backup: content inventory, a checked copy of the file storage, and the proof that the held key opens it. */
export class BackupStage extends MigrationStage {
  constructor(name: string, args: BackupStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("backup", "openbao-migration:components:BackupStage", name, args.config, opts);
    const { keySecretVersion } = args;
    this.steps(undefined, keySecretVersion === undefined ? {} : { "key-proof": { keySecretVersion } });
    this.registerOutputs({});
  }
}
