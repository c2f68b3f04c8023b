// Before: Flux reconciles the HelmRelease.
// After: the HelmRelease, the Kustomization that owns it and the namespace's CronJobs are suspended and idle, Flux's
// remediation is off for the window, and annotations name what was paused by this program.
import { main, type Step } from "../runStep";
import { isPaused, pauseAll, waitUntilIdle } from "../pausing";
import { hasValuesRecord } from "../originalValues";
import { condition, observeWorld, wantsRaft } from "../world";

export const pause: Step = {
  id: "pause",

  async observe(ctx) {
    if ((await ctx.journal.done("resume")) !== undefined) {
      return { state: "done", observed: { note: "the migration has landed; nothing is paused again" } };
    }
    const { release } = await observeWorld(ctx);
    const recorded = hasValuesRecord(release) || wantsRaft(release);
    if (recorded && isPaused(release) && condition(release, "Reconciling")?.status !== "True") {
      return { state: "done", observed: { suspended: true } };
    }
    return { state: "todo", observed: { suspended: release.spec?.suspend ?? false } };
  },

  act: pauseAll,

  verify: waitUntilIdle,
};

if (require.main === module) main(pause);
