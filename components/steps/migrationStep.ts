import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../projectRoot";
import type { StepRecord } from "./plan";
import { STEP_INPUT, type StepInput } from "./stepInput";

const TYPE = "openbao-migration:steps:MigrationStep";
const SCRIPTS = "components/steps/scripts";

export interface MigrationStepArgs {
  /** The step's record in the plan. */
  readonly record: StepRecord;
  /** Its values; none of them is a secret. */
  readonly input: StepInput;
  /** True for a step that tells what was: other values of a later run must not run it again. @default false */
  readonly keepsInput?: boolean;
}

/** One one-time step: the only place that makes a command.local.Command. */
export class MigrationStep extends pulumi.ComponentResource {
  /** Known once the step's script has ended well. */
  readonly finished: pulumi.Output<string>;

  constructor(name: string, args: MigrationStepArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    const script = `${SCRIPTS}/${args.record.script}.ts`;
    // No `update`: `create` runs again when an input changes, and each step first looks whether it is done.
    // No `triggers` (they replace) and no `delete` (nothing is taken back by removing a resource).
    const made = new command.local.Command(
      name,
      {
        // argv array, no shell: the interpreter gets the script's path as its last argument.
        interpreter: ["node", "components/steps/launch.mjs"],
        create: script,
        environment: {
          [STEP_INPUT]: JSON.stringify(args.input),
          // A changed script shows in the preview.
          OPENBAO_MIGRATION_SCRIPT_SHA256: sha256(join(PROJECT_ROOT, script)),
        },
        addPreviousOutputInEnv: false,
        logging: args.record.touchesKey
          ? command.local.Logging.Stderr
          : command.local.Logging.StdoutAndStderr,
      },
      {
        parent: this,
        ...(args.keepsInput === true && { ignoreChanges: ["environment"] }),
        ...(args.record.touchesKey && { additionalSecretOutputs: ["stdout", "stderr"] }),
      },
    );
    this.finished = made.id;
    this.registerOutputs({});
  }
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
