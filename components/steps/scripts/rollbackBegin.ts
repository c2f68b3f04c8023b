// Before: the move has not landed.
// After: the writers are paused, and the journal says that a rollback is under way: nothing goes forward until it ends.
import { hasValuesRecord } from "../originalValues";
import { recordBefore, writersOf } from "../pauseRecord";
import { isPaused, pauseAll, waitUntilIdle } from "../pausing";
import { landedRefusal, OTHER_PATH, rollbackState } from "../rollbackState";
import { type Step } from "../runStep";
import { observeWorld } from "../world";

export const rollbackBegin: Step = {
  id: "rollback-begin",

  async observe(ctx) {
    const state = rollbackState(await ctx.journal.entries());
    const { release, status0, flipped } = await observeWorld(ctx);
    if ((ctx.input.path ?? "migrate") !== "migrate" || state.otherPath) {
      return { state: "refuse", hazard: "F67", why: OTHER_PATH };
    }
    // Without the mark of the pause Flux has its work back, whatever a lost journal says.
    if (state.landedAt !== undefined || (flipped && !isPaused(release) && !state.underWay)) {
      return { state: "refuse", hazard: "F67", why: landedRefusal(state, new Date()) };
    }
    if (state.underWay && isPaused(release)) return { state: "done", observed: { begun: true } };
    if (status0?.storageType === "file" && !status0.sealed && !flipped && !isPaused(release)) {
      return { state: "done", observed: { note: "it serves from file storage, and nothing is paused" } };
    }
    if (flipped && !hasValuesRecord(release)) {
      return {
        state: "refuse",
        hazard: "I1",
        why: "the HelmRelease carries no record of its old values; put them back by hand (README, going back)",
      };
    }
    // Where the pause is this step's own, what it found is journaled first: it is what rollback-resume puts back.
    const before = isPaused(release) ? undefined : await recordBefore(ctx, await writersOf(ctx), flipped);
    return {
      state: "todo",
      observed: { fileDataAsOf: state.fileDataAsOf, flipped, ...(before && { before }) },
    };
  },

  async act(ctx) {
    const { release } = await observeWorld(ctx);
    if (!isPaused(release)) await pauseAll(ctx);
  },

  verify: waitUntilIdle,
};

export default rollbackBegin;
