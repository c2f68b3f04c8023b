// Before: the data is carried over; the HelmRelease asks for ha.raft and is still suspended.
// After: Flux's helm-controller has applied it with one replica, and the HelmRelease is suspended again.
import { deliveryOf } from "../../delivery/delivery";
import { applyRelease } from "../applyRelease";
import { carryAgain, mayHaveServed } from "../carryAgain";
import { READY_BY } from "../carryPath";
import { hasResumed } from "../pauseRecord";
import { isPaused } from "../pausing";
import { Refused, type Step } from "../runStep";
import { isApplied, observeWorld, scale, wantedReplicas } from "../world";
import { rendersRaft } from "../renderedConfig";

export const flip: Step = {
  id: "flip",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (await hasResumed(ctx)) return { state: "done", observed: { note: "landed" } };
    const rendered = await rendersRaft(ctx);
    const started = (world.statefulSet.spec?.replicas ?? 0) > 0;
    if (rendered && started && isPaused(world.release) && isApplied(world.release, ctx.input.delivery))
      return { state: "done", observed: { rendered: "raft" } };
    if (!world.flipped) {
      return {
        state: "refuse",
        hazard: "I4",
        why: "the HelmRelease does not ask for ha.raft; its values layer has not run",
      };
    }
    if (!world.moved && (await ctx.journal.done(READY_BY[ctx.input.path ?? "migrate"])) === undefined) {
      return {
        state: "refuse",
        hazard: "F40",
        why: "the journal knows of no carried data; a Raft server would start empty",
      };
    }
    return { state: "todo", observed: { rendered: rendered ? "raft" : "file" } };
  },

  async act(ctx) {
    const world = await observeWorld(ctx);
    if (!(await rendersRaft(ctx)) && (await mayHaveServed(ctx, world))) await carryAgain(ctx);
    const replicas = wantedReplicas(world.release);
    // The chart's default is 3: without a number here three empty nodes would start at once (hazard H5).
    if (!world.moved && replicas !== 1) {
      await ctx.fence.assertHeld();
      await deliveryOf(ctx.input).patchValues(ctx, { server: { ha: { replicas: 1 } } });
    }
    await ctx.fence.assertHeld();
    if (ctx.input.path !== undefined && !world.moved && (await rendersRaft(ctx))) {
      // A source on Raft has nothing to apply: Flux would see no change and start nothing.
      await scale(ctx.kube, ctx.input.namespace, ctx.input.release, 1);
      return;
    }
    await applyRelease(ctx, async () => {
      const now = await observeWorld(ctx);
      if (!(await rendersRaft(ctx))) return "the server's ConfigMap still says file storage";
      return (now.statefulSet.spec?.replicas ?? 0) > 0 ? undefined : "the StatefulSet still has no replica";
    });
  },

  async verify(ctx) {
    const world = await observeWorld(ctx);
    const replicas = world.statefulSet.spec?.replicas ?? 0;
    if (!world.moved && replicas !== 1) {
      throw new Refused(`the StatefulSet has ${replicas} replicas after the flip, expected 1 [I35]`, "I35");
    }
    return { rendered: "raft", replicas };
  },
};

export default flip;
