import * as pulumi from "@pulumi/pulumi";
import { MigrationStage, type StageArgs } from "./stage";

export interface LandStageArgs extends StageArgs {
  /** Name and version of the chart that the gate saw. */
  readonly chart: string;
}

/** Stage land: the named point. Writes the change into the Git checkout and gives Flux its work back. */
export class LandStage extends MigrationStage {
  constructor(name: string, args: LandStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("land", "openbao-migration:components:LandStage", name, args.config, opts);
    // The proof of one moment: a chart of later must not run it again.
    this.steps(undefined, { "zero-drift": { chart: args.chart } }, ["zero-drift"]);
    this.registerOutputs({});
  }
}
