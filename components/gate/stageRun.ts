import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BOUND_PLAN, readBoundPlan, type BoundPlan } from "./boundPlan";
import type { StageArguments } from "./stageArguments";

/** Folder of the saved plans; not in Git. */
export const PLANS = ".pulumi-plans";

export const STAGE_EXIT = { done: 0, failed: 1, refused: 10 } as const;

/** What a stage run needs of the outside; tests bring their own. */
export interface StageWorld {
  /** Runs pulumi with an argv array; its output goes to the user. @returns its exit code */
  pulumi(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number>;
  /** Asks the user; undefined when nobody can answer. */
  ask(question: string): Promise<string | undefined>;
  /** Text for people. */
  say(text: string): void;
  /** The one line for machines. */
  print(line: string): void;
  readonly folder: string;
}

/**
 * Previews a stage with a saved plan, shows the gate, asks, and carries out exactly that plan. Pulumi refuses resource
 * operations that the plan does not hold, the gate a world that has moved (hazard F64).
 * @returns the exit code: 0 done, 1 failed, 10 refused
 */
export async function runStage(wanted: StageArguments, world: StageWorld): Promise<number> {
  const { stack, stage, yes, json } = wanted;
  const base = join(world.folder, PLANS, `${stack.replaceAll("/", ".")}-${stage}`);
  const [operations, bound] = [`${base}.plan.json`, `${base}.world.json`];
  mkdirSync(join(world.folder, PLANS), { recursive: true, mode: 0o700 });
  const forget = () => [operations, bound].forEach((file) => rmSync(file, { force: true }));
  const env = { [BOUND_PLAN]: bound };
  // What an earlier run left must not stand for this preview.
  forget();
  const words = ["preview", "--stack", stack, "--diff", "--non-interactive", "--save-plan", operations];
  const code = await world.pulumi(words, env);
  const plan = readPlan(bound);
  if (json && plan !== undefined) world.print(JSON.stringify(plan.report));
  const stop = refusal(wanted, code, plan);
  if (stop !== undefined) {
    forget();
    world.say(stop);
    return plan === undefined ? STAGE_EXIT.failed : STAGE_EXIT.refused;
  }
  try {
    if (json) return STAGE_EXIT.done;
    const answer = yes ? "yes" : await world.ask(`Carry out stage ${stage} on stack ${stack}? Type yes: `);
    if (answer?.trim() !== "yes") {
      world.say(
        `nothing was done${answer === undefined ? ": nobody can answer here; --yes carries it out" : ""}`,
      );
      return STAGE_EXIT.refused;
    }
    const up = ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", "--plan", operations];
    const ended = await world.pulumi(up, env);
    return ended === 0 ? STAGE_EXIT.done : STAGE_EXIT.failed;
  } finally {
    // Once used, or turned down, an approval is over.
    forget();
  }
}

function readPlan(file: string): BoundPlan | undefined {
  try {
    return readBoundPlan(file);
  } catch {
    return undefined;
  }
}

function refusal(wanted: StageArguments, code: number, plan: BoundPlan | undefined): string | undefined {
  if (plan === undefined)
    return `the preview ended with ${code} before the gate could judge; nothing was done`;
  if (code !== 0) return `the preview ended with ${code}; nothing was done`;
  if (plan.stage === wanted.stage) return undefined;
  return (
    `stack ${wanted.stack}: found stage "${plan.stage}" in its config, expected "${wanted.stage}"; nothing was done. ` +
    `Fix: pulumi config set --stack ${wanted.stack} openbao-migration:stage ${wanted.stage} (have it reviewed)`
  );
}
