// Before: the rollback has ended for the clients; this follower's pod is gone and its volume holds old Raft state.
// After: that state lies aside on the same volume, so that a later try starts on it as on an empty one (hazard I33).
import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { runJob } from "../nodeJob";
import { type Facts, type Step, type StepContext } from "../runStep";
import { asideName, isSetAside } from "../setAside";
import { serverPods } from "../serverPods";
import { observeWorld } from "../world";

let facts: Facts = {};

export const rollbackSetAside: Step = {
  id: "rollback-set-aside",

  async observe(ctx) {
    const ordinal = ordinalOf(ctx);
    const [claim, entries, world, pods] = await Promise.all([
      claimOf(ctx, ordinal),
      ctx.journal.entries(),
      observeWorld(ctx),
      serverPods(ctx),
    ]);
    if (claim === undefined) return { state: "done", observed: { note: "no volume of this ordinal" } };
    if (isSetAside(entries, ordinal, claim.metadata?.uid ?? "")) {
      return { state: "done", observed: { claimUid: claim.metadata?.uid } };
    }
    const pod = `${ctx.input.release}-${ordinal}`;
    const replicas = world.statefulSet.spec?.replicas ?? 0;
    if (
      world.status0?.storageType !== "file" ||
      replicas > 1 ||
      pods.some((one) => one.metadata?.name === pod)
    ) {
      return {
        state: "refuse",
        hazard: "I33",
        why: `${pod} runs or may start, or ${ctx.input.release}-0 is not on file storage; its volume is not touched`,
      };
    }
    return { state: "todo", observed: { claim: claim.metadata?.name } };
  },

  async act(ctx) {
    const ordinal = ordinalOf(ctx);
    const result = await runJob(ctx, {
      name: `openbao-raft-set-aside-${ordinal}`,
      script: "setAside.sh",
      files: { aside: asideName(await ctx.journal.entries()), role: "follower" },
      ordinal,
      timeoutSeconds: ctx.input.podTimeoutSeconds,
    });
    refuseOnCode(result, { 29: MISSING_TOOL });
    facts = { ...result.facts, claimUid: (await claimOf(ctx, ordinal))?.metadata?.uid };
  },

  verify() {
    return Promise.resolve(facts);
  },
};

function ordinalOf(ctx: StepContext): number {
  const ordinal = Number(/^rollback-set-aside-(\d+)$/.exec(ctx.input.step)?.[1]);
  if (!Number.isInteger(ordinal) || ordinal < 1)
    throw new Error(`step "${ctx.input.step}" names no follower; this is a bug`);
  return ordinal;
}

function claimOf(ctx: StepContext, ordinal: number) {
  return ctx.kube.find<V1PersistentVolumeClaim & KubeObject>(
    `/api/v1/namespaces/${ctx.input.namespace}/persistentvolumeclaims/data-${ctx.input.release}-${ordinal}`,
  );
}

export default rollbackSetAside;
