import { deliveryOf } from "../delivery/delivery";
import { readRelease } from "../delivery/releaseReader";
import { isMarked, isOwner, journaledRecord, ownerUnmarked, unmarked, writersOf } from "./pauseRecord";
import { podUids, restartedPods } from "./podUids";
import { Refused, type StepContext } from "./runStep";

/**
 * Gives back what pauseAll took: only what carries our mark, and exactly as it was found; what the user had suspended
 * before stays suspended. The release goes first, and the Kustomization that applies it with it; that one's parent takes
 * it over again only when the release runs.
 * @throws Refused when somebody changed it meanwhile (F53), or Git would take it back (F69).
 */
export async function resumeAll(ctx: StepContext): Promise<void> {
  const before = await journaledRecord(ctx);
  const release = await readRelease(ctx.kube, ctx.input);
  if (isMarked(release)) await deliveryOf(ctx.input).resume(ctx, release, before);
  for (const writer of await writersOf(ctx)) {
    if (!isMarked(writer.object)) continue;
    await ctx.fence.assertHeld();
    const patch = isOwner(writer) ? ownerUnmarked : unmarked;
    await ctx.kube.mergePatch(writer.path, patch(before[writer.path]));
  }
}

/**
 * The same, then a bounded wait until the release is applied. One that the user had suspended before stays so, and is
 * not waited for. @throws Refused when a server's pod was restarted by it (I39)
 */
export async function resumeWithoutRestart(ctx: StepContext): Promise<void> {
  const before = await podUids(ctx);
  await ctx.fence.assertHeld();
  await resumeAll(ctx);
  const release = await readRelease(ctx.kube, ctx.input);
  if (release.spec?.suspend !== true) await deliveryOf(ctx.input).waitSettled(ctx);
  const restarted = restartedPods(before, await podUids(ctx));
  if (restarted.length > 0) {
    throw new Refused(`resuming Flux restarted ${restarted.join(", ")}, expected no restart [I39]`, "I39");
  }
}
