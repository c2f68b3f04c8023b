// Before: the StatefulSet's template and ConfigMap say Raft.
// After: openbao-0 runs the new revision on Raft and is initialised. With updateStrategy OnDelete nothing else would
// replace an old pod, and with a changed ConfigMap nothing restarts it (hazards I4, I40).
import type { V1Pod } from "@kubernetes/client-node";
import { carryAgain } from "../carryAgain";
import { READY_BY, startsEmpty } from "../carryPath";
import { Refused, type Step, type StepContext } from "../runStep";
import { answeredStatus, observeWorld, replacePod, scale, waitForPod, type World } from "../world";

const REVISION = "controller-revision-hash";

export const roll: Step = {
  id: "roll",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved && !isOld(world))
      return { state: "done", observed: { revision: revisionOf(world.pod0) } };
    const empty = world.status0 !== undefined && !world.status0.initialized;
    if (empty && !(await mayBeEmpty(ctx))) return emptyStore(ctx.input.release);
    return { state: "todo", observed: { old: isOld(world) } };
  },

  async act(ctx) {
    const world = await observeWorld(ctx);
    const uid = world.pod0?.metadata?.uid;
    if (uid === undefined || !isOld(world)) return;
    if (ctx.input.path === undefined && world.status0?.storageType !== "raft") {
      // It serves from the file storage, or nobody can tell: its writes since the carry are not on Raft.
      await carryAgain(ctx);
      await ctx.fence.assertHeld();
      await scale(ctx.kube, ctx.input.namespace, ctx.input.release, 1);
      return;
    }
    await ctx.fence.assertHeld();
    await replacePod(ctx, `${ctx.input.release}-0`, uid);
  },

  async verify(ctx) {
    const pod = `${ctx.input.release}-0`;
    await waitForPod(ctx, pod);
    const status = await answeredStatus(ctx, pod);
    if (status.storageType !== "raft") {
      throw new Refused(
        `${pod} runs on storage "${status.storageType}" after the roll, expected "raft" [I4]`,
        "I4",
      );
    }
    if (!status.initialized && !(await mayBeEmpty(ctx))) {
      const refusal = emptyStore(ctx.input.release);
      throw new Refused(`${refusal.why} [${refusal.hazard}]`, refusal.hazard);
    }
    const world = await observeWorld(ctx);
    return { storageType: "raft", revision: revisionOf(world.pod0), node: world.pod0?.spec?.nodeName };
  },
};

/** A restore or a reseed starts on an empty store, and only once the old one was set aside. */
async function mayBeEmpty(ctx: StepContext): Promise<boolean> {
  const path = ctx.input.path ?? "migrate";
  return startsEmpty(path) && (await ctx.journal.done(READY_BY[path])) !== undefined;
}

function revisionOf(pod: V1Pod | undefined): string | undefined {
  return pod?.metadata?.labels?.[REVISION];
}

/** A pod of an older revision, or one of the right revision that still read the old ConfigMap. */
function isOld(world: World): boolean {
  if (world.pod0 === undefined) return false;
  if (revisionOf(world.pod0) !== world.statefulSet.status?.updateRevision) return true;
  return world.status0?.storageType === "file";
}

/** Never init here: the data would be behind a key that opens nothing (platform#1982). */
function emptyStore(release: string) {
  return {
    state: "refuse" as const,
    hazard: "I2",
    why: `${release}-0 runs on an empty Raft store (initialized: false). It is not initialised over your data: scale to 0, check the volume, and run stage cutover again`,
  };
}

export default roll;
