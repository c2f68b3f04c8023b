import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

/** Stage land: the named point. Writes the change into the Git checkout and gives Flux its work back. */
export class LandStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("land", "openbao-migration:components:LandStage", name, args.config, opts);
    this.steps();
    this.registerOutputs({});
  }
}
