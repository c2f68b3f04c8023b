// Before: step resume has given back what was paused.
// After: it is proved that what runs is what was landed: values, Helm's record and chart, the objects of its manifest,
// and the pods are those of before the un-pause. One more run of Flux over Git changed nothing. Only looks, but for
// asking Flux for that run.
import { deliveryOf } from "../../delivery/delivery";
import { readRelease } from "../../delivery/releaseReader";
import { valueDifferences } from "../../land/valueDifferences";
import { driftWords, type Drift } from "../drift";
import { idleOwner, runOverGit } from "../gitRun";
import { baselineOf, podDrift } from "../landingPods";
import { releaseLook } from "../landedRelease";
import { valuesLook } from "../landedValues";
import { landRefused } from "../landRefused";
import { podUids } from "../podUids";
import { Refused, type Facts, type Step, type StepContext } from "../runStep";
import type { HelmRelease } from "../world";

export const zeroDrift: Step = {
  id: "zero-drift",

  async observe(ctx) {
    const done = await ctx.journal.done("zero-drift");
    // It is the proof of one moment: what changes later is not of the landing.
    if (done !== undefined) return { state: "done", observed: done.observed };
    if ((await ctx.journal.done("resume")) === undefined) {
      return {
        state: "refuse",
        hazard: "I39",
        why: "step resume is not done; what was paused does not run yet",
      };
    }
    return { state: "todo", observed: { pods: Object.fromEntries(await podUids(ctx)) } };
  },

  async act(ctx) {
    await look(ctx);
    const release = await readRelease(ctx.kube, ctx.input);
    const owner = await idleOwner(ctx, release);
    if (owner === undefined) return;
    await runOverGit(ctx, owner);
    refuseDrift(ctx, changedByFlux(release, await readRelease(ctx.kube, ctx.input)));
  },

  verify: look,
};

/** All at once. @throws Refused that names each place. */
async function look(ctx: StepContext): Promise<Facts> {
  const first = await readRelease(ctx.kube, ctx.input);
  if (first.spec?.suspend !== true) await deliveryOf(ctx.input).waitSettled(ctx);
  const owner = await idleOwner(ctx, first);
  const release = await readRelease(ctx.kube, ctx.input);
  const before = baselineOf(await ctx.journal.entries(), ctx.input.step);
  const pods = Object.fromEntries(await podUids(ctx));
  const values = await landRefused("F69", () => valuesLook(ctx, release, owner));
  const applied = await releaseLook(ctx, release, before);
  refuseDrift(ctx, [
    ...(before.pods === undefined ? [] : podDrift(before.pods, pods)),
    ...values.drift,
    ...applied.drift,
  ]);
  if (values.besides.length > 0) {
    ctx.log(`values that the landed file alone does not say: ${values.besides.slice(0, 10).join(", ")}`);
  }
  if (applied.left.length > 0) ctx.log(`not compared: ${applied.left.join(", ")}`);
  return {
    values: values.compared,
    besides: values.besides.slice(0, 20),
    commit: values.commit,
    ...{ revision: applied.revision, chart: applied.chart, digest: applied.digest },
    objects: applied.compared,
    notCompared: applied.left,
    pods: before.pods === undefined ? "not known from before" : before.told ? "restarted, told once" : "same",
    ranAgain: owner !== undefined,
  };
}

/** Flux puts back what somebody else wrote into what Git says: that shows only now. */
function changedByFlux(before: HelmRelease, after: HelmRelease): Drift[] {
  return valueDifferences(after.spec, before.spec).map(({ path }) => ({
    part: "values",
    object: `HelmRelease ${after.metadata?.name}`,
    field: ["spec", ...path].join("."),
    how: "another run of Flux over Git changed it",
  }));
}

function refuseDrift(ctx: StepContext, drifts: readonly Drift[]): void {
  if (drifts.length === 0) return;
  const { release, namespace, delivery } = ctx.input;
  throw new Refused(`${driftWords(drifts, { release, namespace, flux: delivery !== "helm" })} [I39]`, "I39");
}

export default zeroDrift;
