// Between the carry and the first start on Raft somebody may start the old server by hand, so that it serves again. What it
// takes then lies in the file storage alone, and a Raft server that starts on the copy knows nothing of it (hazard F68).
import type { StepContext } from "./runStep";
import { carryOver, LIVE_COPY, refuseWhereNotCarried } from "./scripts/carry";
import { waitUntilGone } from "./serverPods";
import { scale, type World } from "./world";

/** Whether a server may have run on the file storage since it was carried over. Asked while the config still says file. */
export async function mayHaveServed(ctx: StepContext, world: World): Promise<boolean> {
  if (ctx.input.path !== undefined || world.moved) return false;
  const { metadata, spec } = world.statefulSet;
  if (world.pod0 !== undefined || (spec?.replicas ?? 0) > 0) return true;
  // Each scaling, up and down again, counts the generation up.
  const carried = (await ctx.journal.done("carry"))?.observed["generation"];
  return carried !== metadata?.generation;
}

/**
 * Stops openbao-0 and runs the Job of step carry once more: it finds the copy as fresh as it was, or makes it anew from
 * what the file storage holds now. The StatefulSet is left at 0.
 * @throws Refused when both the file storage and the copy were written to
 */
export async function carryAgain(ctx: StepContext): Promise<void> {
  const { namespace, release } = ctx.input;
  ctx.log(
    `${release}-0 may have served from the file storage after the carry: it is stopped, and carried over again`,
  );
  await ctx.fence.assertHeld();
  await scale(ctx.kube, namespace, release, 0);
  await waitUntilGone(ctx, [`${release}-0`]);
  const result = await carryOver(ctx);
  // Nothing came to the file storage since: what a server has made of the copy is the newest that there is.
  if (result.exitCode === LIVE_COPY) return;
  refuseWhereNotCarried(result);
  await ctx.journal.append({ step: "carry", beat: "done", observed: result.facts });
}
