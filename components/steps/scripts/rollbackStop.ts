// Before: a rollback is under way, and nothing starts the server by itself.
// After: no pod of the server exists.
import { isPaused } from "../pausing";
import { rollbackState } from "../rollbackState";
import { type Step, type StepContext } from "../runStep";
import { serverPods, stopPods, waitUntilGone } from "../serverPods";
import { rendersRaft } from "../renderedConfig";
import { observeWorld, scale, type World } from "../world";

export const rollbackStop: Step = {
  id: "rollback-stop",
  needsPause: true,

  async observe(ctx) {
    const [world, pods] = await Promise.all([observeWorld(ctx), serverPods(ctx)]);
    if (await isBack(ctx, world)) return { state: "done", observed: { note: "it runs on file storage" } };
    if (world.statefulSet.spec?.replicas === 0 && pods.length === 0) {
      return { state: "done", observed: { replicas: 0 } };
    }
    if (!isPaused(world.release) || !rollbackState(await ctx.journal.entries()).underWay) {
      return {
        state: "refuse",
        hazard: "I1",
        why: "the HelmRelease is not paused by a rollback, and would start the server again",
      };
    }
    return {
      state: "todo",
      observed: { node: world.pod0?.spec?.nodeName, pods: pods.map((pod) => pod.metadata?.name) },
    };
  },

  async act(ctx) {
    await ctx.fence.assertHeld();
    await scale(ctx.kube, ctx.input.namespace, ctx.input.release, 0);
    await stopPods(ctx, await serverPods(ctx));
  },

  async verify(ctx) {
    const left = (await serverPods(ctx)).map((pod) => pod.metadata?.name ?? "");
    await waitUntilGone(ctx, left);
    return { replicas: 0 };
  },
};

/** The pod on file storage, or one that can only start on it: it is not stopped once more. */
export async function isBack(ctx: StepContext, world: World): Promise<boolean> {
  if (world.status0?.storageType === "file") return true;
  if (world.flipped || world.moved || (world.statefulSet.spec?.replicas ?? 0) === 0) return false;
  return (await ctx.journal.done("rollback-swap")) !== undefined && !(await rendersRaft(ctx));
}

export default rollbackStop;
