// Before: the volume shows the file storage alone; the HelmRelease keeps a record of its old values.
// After: it has them back, Flux has applied them once, it is suspended again, and one replica is asked for.
import { deliveryOf } from "../../delivery/delivery";
import { applyRelease } from "../applyRelease";
import { originalValues } from "../originalValues";
import { isPaused } from "../pausing";
import { rendersRaft } from "../renderedConfig";
import { Refused, type Step } from "../runStep";
import { observeWorld, scale } from "../world";

export const rollbackValues: Step = {
  id: "rollback-values",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const replicas = world.statefulSet.spec?.replicas ?? 0;
    if (!world.flipped && replicas > 0 && !(await rendersRaft(ctx))) {
      return { state: "done", observed: { rendered: "file", replicas } };
    }
    if (!isPaused(world.release)) {
      return {
        state: "refuse",
        hazard: "I1",
        why: "the HelmRelease is not paused; Flux would race the change",
      };
    }
    if (world.flipped && originalValues(world.release) === undefined) {
      return {
        state: "refuse",
        hazard: "I1",
        why: "the HelmRelease carries no record of its old values; put them back by hand (README, going back)",
      };
    }
    if (world.status0?.storageType !== "file" && (await ctx.journal.done("rollback-swap")) === undefined) {
      return {
        state: "refuse",
        hazard: "F40",
        why: "Raft's files are not put aside; step rollback-swap comes first",
      };
    }
    return { state: "todo", observed: { replicas, flipped: world.flipped } };
  },

  async act(ctx) {
    const { namespace, release: name } = ctx.input;
    const { release } = await observeWorld(ctx);
    await deliveryOf(ctx.input).restoreValues(ctx, release);
    if (await rendersRaft(ctx)) {
      await ctx.fence.assertHeld();
      await applyRelease(ctx, async () =>
        (await rendersRaft(ctx)) ? "the server's ConfigMap still says Raft" : undefined,
      );
    }
    // Helm leaves a count alone that its own last two manifests agree on.
    if ((await observeWorld(ctx)).statefulSet.spec?.replicas !== 1) {
      await ctx.fence.assertHeld();
      await scale(ctx.kube, namespace, name, 1);
    }
  },

  async verify(ctx) {
    const { flipped, statefulSet } = await observeWorld(ctx);
    const replicas = statefulSet.spec?.replicas ?? 0;
    if (flipped || (await rendersRaft(ctx))) throw new Error("the release still asks for Raft");
    if (replicas !== 1) {
      throw new Refused(
        `the StatefulSet has ${replicas} replicas after the way back, expected 1 [I35]`,
        "I35",
      );
    }
    return { rendered: "file", replicas };
  },
};

export default rollbackValues;
