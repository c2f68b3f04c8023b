// Before: openbao-0 serves from the file storage, with the old values.
// After: what was paused runs again, where it is proved that Git still asks for the standalone server; otherwise it
// stays paused, and the journal says why. Its end ends the rollback.
import { gitProof } from "../gitProof";
import { isPaused } from "../pausing";
import { rendersRaft } from "../renderedConfig";
import { resumeWithoutRestart } from "../resuming";
import { rollbackState } from "../rollbackState";
import { Refused, type Facts, type Step } from "../runStep";
import { observeWorld } from "../world";

let facts: Facts = {};

export const rollbackResume: Step = {
  id: "rollback-resume",

  async observe(ctx) {
    const { release, status0, flipped } = await observeWorld(ctx);
    const { underWay } = rollbackState(await ctx.journal.entries());
    if (!underWay && !isPaused(release)) return { state: "done", observed: { suspended: false } };
    if (flipped || status0?.storageType !== "file" || status0.sealed) {
      return {
        state: "refuse",
        hazard: "I1",
        why: `${ctx.input.release}-0 does not serve from file storage with the old values; nothing is resumed`,
      };
    }
    const proof = await gitProof(ctx, release);
    if (!underWay && !proof.standalone)
      return { state: "done", observed: { suspended: true, why: proof.why } };
    return { state: "todo", observed: { git: proof.why } };
  },

  async act(ctx) {
    const { release } = await observeWorld(ctx);
    const proof = await gitProof(ctx, release);
    if (!proof.standalone) {
      ctx.log(`Flux stays paused: ${proof.why}`);
      facts = { suspended: true, why: proof.why };
      return;
    }
    // Also when the HelmRelease runs already: a killed run may have left what comes after it.
    await resumeWithoutRestart(ctx);
    facts = { suspended: false, git: proof.why };
  },

  async verify(ctx) {
    const { release, flipped } = await observeWorld(ctx);
    if (flipped || (await rendersRaft(ctx))) {
      throw new Refused(
        "after resuming, the release asks for Raft again: Git does not say standalone. Suspend it and look [I1]",
        "I1",
      );
    }
    return { ...facts, suspended: release.spec?.suspend === true };
  },
};

export default rollbackResume;
