// Before: Git says what is live, also at the revision that Flux follows: the change set is merged.
// After: what this program paused runs again, Flux has reconciled the HelmRelease without a change to any pod, and
// the stored inventories are removed. THE NAMED POINT: from here on there is no rollback.
import { releasePath } from "../../delivery/releaseReader";
import { removeInventories } from "../../inventory/inventoryStore";
import { LandRefusal } from "../../land/landRefusal";
import { oldGit } from "../followedSource";
import { beforeUnpause } from "../landingPods";
import { isMarked, journaledRecord } from "../pauseRecord";
import { resumeWithoutRestart } from "../resuming";
import { Refused, type Step, type StepContext } from "../runStep";
import { observeWorld, type HelmRelease } from "../world";

export const resume: Step = {
  id: "resume",

  async observe(ctx) {
    const { release } = await observeWorld(ctx);
    const done = await ctx.journal.done("resume");
    // Landed is landed: whoever suspends it later means it.
    if (done !== undefined && !isMarked(release)) return { state: "done", observed: done.observed };
    if ((await ctx.journal.done("land-git")) === undefined) {
      return {
        state: "refuse",
        hazard: "F69",
        why: "the change has not landed in Git; Flux would take the old values back",
      };
    }
    const why = await whyNotYet(ctx, release);
    if (why !== undefined) return { state: "refuse", hazard: "F69", why };
    return { state: "todo", observed: await beforeUnpause(ctx, release) };
  },

  async act(ctx) {
    await resumeWithoutRestart(ctx);
  },

  async verify(ctx) {
    const { release, statefulSet } = await observeWorld(ctx);
    const suspended = release.spec?.suspend === true;
    if (isMarked(release) || suspended !== (await wasSuspended(ctx))) {
      throw new Error(
        `the HelmRelease is ${suspended ? "suspended" : "not suspended"} after resuming, expected it as before`,
      );
    }
    if (statefulSet.spec?.replicas !== ctx.input.replicas) {
      throw new Refused(
        `the StatefulSet has ${statefulSet.spec?.replicas} replicas after resuming, expected ${ctx.input.replicas} [I39]`,
        "I39",
      );
    }
    await ctx.fence.assertHeld();
    await removeInventories(ctx.kube, ctx.input.namespace);
    return { suspended, replicas: statefulSet.spec.replicas };
  },
};

/** A second run after a kill has nothing left to hold back. */
async function whyNotYet(ctx: StepContext, release: HelmRelease): Promise<string | undefined> {
  if (!isMarked(release)) return undefined;
  try {
    return await oldGit(ctx, release);
  } catch (error) {
    if (error instanceof LandRefusal) return error.message;
    throw error;
  }
}

/** A suspension of the user's own outlives the migration. */
async function wasSuspended(ctx: StepContext): Promise<boolean> {
  return (await journaledRecord(ctx))[releasePath(ctx.input)]?.suspend === true;
}

export default resume;
