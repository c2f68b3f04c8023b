import { STAGES, type Stage } from "../../config";

export interface StageArguments {
  readonly stack: string;
  readonly stage: Stage;
  /** Carries out what was previewed without asking. */
  readonly yes: boolean;
  /** Previews only, and prints the gate's report as JSON. */
  readonly json: boolean;
}

export const USAGE =
  "npm run stage -- STACK STAGE [--yes | --json]\n" +
  "  previews STAGE, shows the gate, asks, and carries out exactly what was previewed\n" +
  `  STAGE: ${STAGES.join(", ")}; the stack's config must name it\n` +
  "  --yes   do not ask (for CI, after a review)\n" +
  "  --json  preview only; the gate's report as one JSON line on standard output";

/** @throws Error with the usage for anything that is not understood */
export function parseStageArguments(argv: readonly string[]): StageArguments {
  const flags = argv.filter((word) => word.startsWith("-"));
  const [stack, stage, ...rest] = argv.filter((word) => !word.startsWith("-"));
  const unknown = [...flags.filter((flag) => !["--yes", "--json"].includes(flag)), ...rest];
  if (unknown.length > 0) throw new Error(`"${unknown[0]}" is not understood\n${USAGE}`);
  const known = STAGES.find((one) => one === stage);
  if (known === undefined) throw new Error(`found stage "${stage ?? ""}"\n${USAGE}`);
  // It becomes part of a file's name, and an argument of pulumi.
  if (
    stack === undefined ||
    !/^[A-Za-z0-9_][-A-Za-z0-9_.]*(?:\/[A-Za-z0-9_][-A-Za-z0-9_.]*){0,2}$/.test(stack)
  ) {
    throw new Error(`found stack "${stack ?? ""}"\n${USAGE}`);
  }
  const [yes, json] = [flags.includes("--yes"), flags.includes("--json")];
  if (yes && json) throw new Error(`--json only previews, and --yes carries out\n${USAGE}`);
  return { stack, stage: known, yes, json };
}
