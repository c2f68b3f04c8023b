// Before: the steps of a stage have run. After: the journal says that the stage was passed, with which plan and in
// which run; or it says nothing, when a step was not done by this run and this program.
import type { JournalRun } from "../../cluster/journal";
import { entriesOf, evidenceOf, linkBefore, linkOf } from "../../evidence/evidence";
import { planDigest } from "../../evidence/planDigest";
import { notPassed } from "../../evidence/stagePassed";
import { STAGES, type Stage } from "../../../config";
import { type Facts, type Step, type StepContext } from "../runStep";

export const passed: Step = {
  id: "passed",

  async observe(ctx) {
    const run = await ctx.journal.run();
    const told = run === undefined ? undefined : evidenceOf(run).stages[stageOf(ctx)];
    if (told !== undefined) return { state: "done", observed: { passedAt: told.passedAt } };
    const why = whyNot(ctx, run);
    if (why === undefined) return { state: "todo", observed: {} };
    // A stage that is done but proves nothing must not stop the run: only other stacks ask for the evidence.
    ctx.log(`no evidence of this stage: ${why}`);
    return { state: "done", observed: { evidence: "none", why } };
  },

  // The journal entry of verify is the act.
  act: () => Promise.resolve(),

  async verify(ctx): Promise<Facts> {
    const run = await ctx.journal.run();
    const why = whyNot(ctx, run);
    if (run === undefined || why !== undefined) throw new Error(`the journal changed meanwhile: ${why}`);
    const plan = planOf(ctx);
    const bound = { passedAt: new Date().toISOString(), planDigest: planDigest(plan) };
    const stage = stageOf(ctx);
    const link = linkOf(run.id, stage, bound, linkBefore(evidenceOf(run).stages, stage));
    return { runId: run.id, ...bound, plan, link };
  },
};

function whyNot(ctx: StepContext, run: JournalRun | undefined): string | undefined {
  if (run === undefined || run.id === "") return "there is no journal";
  const steps = ctx.input.stageSteps;
  if (steps === undefined) throw new Error(`step "${ctx.input.step}" has no steps; this is a bug`);
  return notPassed(entriesOf(run), steps, planOf(ctx).program);
}

function stageOf(ctx: StepContext): Stage {
  const found = STAGES.find((stage) => ctx.input.step === `passed-${stage}`);
  if (found === undefined) throw new Error(`step "${ctx.input.step}" names no stage; this is a bug`);
  return found;
}

function planOf(ctx: StepContext) {
  if (ctx.input.plan === undefined) throw new Error(`step "${ctx.input.step}" has no plan; this is a bug`);
  return ctx.input.plan;
}

export default passed;
