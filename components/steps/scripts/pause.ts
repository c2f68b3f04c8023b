// Before: Flux reconciles the HelmRelease.
// After: the HelmRelease, the Kustomization that owns it and the namespace's CronJobs are suspended and idle, the
// Kustomizations above leave that one alone, Flux's remediation is off for the window, and annotations name what was
// paused by this program.
import { hasResumed, isMidway, pauseBroken, recordBefore, writersOf } from "../pauseRecord";
import { allPaused, pauseAll, waitUntilIdle } from "../pausing";
import { type Step } from "../runStep";
import { hasValuesRecord } from "../originalValues";
import { observeWorld, wantsRaft } from "../world";

export const pause: Step = {
  id: "pause",

  async observe(ctx) {
    if (await hasResumed(ctx)) {
      return { state: "done", observed: { note: "the migration has landed; nothing is paused again" } };
    }
    const midway = await isMidway(ctx);
    const broken = midway ? await pauseBroken(ctx) : undefined;
    if (broken !== undefined) return { state: "refuse", hazard: "F53", why: broken };
    const { release } = await observeWorld(ctx);
    // Without the record of the old values there is no way back.
    const recorded = hasValuesRecord(release) || wantsRaft(release);
    if (recorded && (await allPaused(ctx))) return { state: "done", observed: { suspended: true } };
    // In the journal before the first write: what `resume` puts back.
    return { state: "todo", observed: { before: await recordBefore(ctx, await writersOf(ctx), midway) } };
  },

  act: pauseAll,

  verify: waitUntilIdle,
};

export default pause;
