import * as pulumi from "@pulumi/pulumi";
import type { MigrationConfig, Stage } from "../../config";
import type { PlanParts } from "../evidence/planDigest";
import { MigrationStep } from "../steps/migrationStep";
import { passedStep, stepsOf } from "../steps/plan";
import { stepInput } from "../steps/stepInput";

const TYPE = "openbao-migration:components:StagePassed";

export interface StagePassedArgs {
  readonly stage: Stage;
  readonly config: MigrationConfig;
  /** The plan that the gate let through. */
  readonly plan: PlanParts;
}

/** Tells the journal that a stage was passed, and with which plan: the evidence that another stack's gate asks for. */
export class StagePassed extends pulumi.ComponentResource {
  /** Known once the journal has it. */
  readonly finished: pulumi.Output<string>;

  constructor(name: string, args: StagePassedArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    const record = passedStep(args.stage);
    // As in stage network: it needs none of the values that single stages use.
    const input = {
      ...stepInput(record.id, args.config, "network"),
      plan: args.plan,
      stageSteps: stepsOf(args.config)
        .filter(({ stage }) => stage === args.stage)
        .map(({ id }) => id),
    };
    const step = new MigrationStep(`${name}-step`, { record, input, keepsInput: true }, { parent: this });
    this.finished = step.finished;
    this.registerOutputs({});
  }
}
