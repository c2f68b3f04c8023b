// Before: the Raft nodes below this ordinal are voters.
// After: the pod of this ordinal has joined the same cluster, is unsealed, and is a voter.
import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { raftPeers, sealStatusIfUp, type SealStatus } from "../../cluster/openBaoStatus";
import { refuseChangedKey } from "../keyProof";
import { Refused, type Step, type StepContext } from "../runStep";
import { isSetAside } from "../setAside";
import { opensByItself, startedTwice } from "../oneUnseal";
import { JOINING_SECONDS, unsealPod } from "../unsealing";
import {
  answeredStatus,
  leaderPod,
  observeWorld,
  podNames,
  replacePod,
  scale,
  until,
  waitForRunning,
} from "../world";

/** Autopilot makes a voter of a stable member after 10 s; the rest is head-room (facts/openbao.md section 4). */
const VOTER_SECONDS = 120;

export const follower: Step = {
  id: "follower",
  needsPause: true,

  async observe(ctx) {
    const { pod, ordinal } = target(ctx);
    const world = await observeWorld(ctx);
    if (!world.moved || world.status0?.sealed === true) {
      return {
        state: "refuse",
        hazard: "I5",
        why: `${ctx.input.release}-0 is not unsealed on Raft; a follower has nothing to join`,
      };
    }
    const replicas = world.statefulSet.spec?.replicas ?? 0;
    if (replicas < ordinal) {
      return {
        state: "refuse",
        hazard: "I5",
        why: `the StatefulSet has ${replicas} replicas; ${pod} comes after ${ordinal} are up`,
      };
    }
    if (replicas > ordinal && (await isVoter(ctx, pod))) {
      const status = await sealStatusIfUp(ctx.bao(pod));
      if (status !== undefined && !status.sealed) return { state: "done", observed: { voter: true } };
    }
    if (replicas === ordinal) await refuseLeftovers(ctx, pod);
    return { state: "todo", observed: { replicas } };
  },

  async act(ctx) {
    const { pod, ordinal } = target(ctx);
    const { statefulSet } = await observeWorld(ctx);
    if ((statefulSet.spec?.replicas ?? 0) <= ordinal) {
      await ctx.fence.assertHeld();
      await scale(ctx.kube, ctx.input.namespace, ctx.input.release, ordinal + 1);
    }
    const joining = await waitForRunning(ctx, pod);
    await join(ctx, pod);
    if (!(await startedTwice(ctx, pod))) return;
    if (await isVoter(ctx, pod)) {
      ctx.log(`${pod} started to serve twice, by two keys at once: restart it once all nodes are voters`);
      return;
    }
    ctx.log(`${pod} started to serve twice, by two keys at once; it is replaced before it has a vote`);
    await ctx.fence.assertHeld();
    await replacePod(ctx, pod, joining?.metadata?.uid ?? "");
    await waitForRunning(ctx, pod);
    await join(ctx, pod);
  },

  async verify(ctx) {
    const { pod } = target(ctx);
    await until(`${pod} to be a voter`, VOTER_SECONDS, async () =>
      (await isVoter(ctx, pod)) ? { value: true } : { seen: "not a voter yet" },
    );
    const [first, own] = await Promise.all([
      answeredStatus(ctx, `${ctx.input.release}-0`),
      answeredStatus(ctx, pod),
    ]);
    if (own.clusterId !== first.clusterId) {
      throw new Refused(
        `${pod} is in cluster ${own.clusterId}, ${ctx.input.release}-0 in ${first.clusterId} [I28]`,
        "I28",
      );
    }
    return { voter: pod, clusterId: own.clusterId };
  },
};

async function join(ctx: StepContext, pod: string): Promise<void> {
  const joined = await until(`${pod} to join (initialized: true)`, ctx.input.podTimeoutSeconds, () =>
    joinedStatus(ctx, pod),
  );
  if (!joined.sealed || (await opensByItself(ctx, pod))) return;
  // A wrong key would wedge a follower that holds a challenge; this one has just opened the leader.
  await refuseChangedKey(ctx);
  await unsealPod(ctx, pod, JOINING_SECONDS);
}

/** The step's id ends with the ordinal: follower-1 is openbao-1. */
function target(ctx: StepContext): { pod: string; ordinal: number } {
  const ordinal = Number(/^follower-(\d+)$/.exec(ctx.input.step)?.[1]);
  if (!Number.isInteger(ordinal) || ordinal < 1)
    throw new Error(`step "${ctx.input.step}" names no follower; this is a bug`);
  return { pod: `${ctx.input.release}-${ordinal}`, ordinal };
}

async function joinedStatus(
  ctx: StepContext,
  pod: string,
): Promise<{ value: SealStatus } | { seen: string }> {
  const status = await sealStatusIfUp(ctx.bao(pod));
  if (status === undefined) return { seen: "no answer" };
  if (status.storageType !== "raft") {
    throw new Refused(`${pod} runs on storage "${status.storageType}", expected "raft" [I4]`, "I4");
  }
  if (status.initialized) return { value: status };
  return {
    seen: "not initialised: the leader has not answered its join request; are 8200 and 8201 open both ways?",
  };
}

async function isVoter(ctx: StepContext, pod: string): Promise<boolean> {
  const { statefulSet } = await observeWorld(ctx);
  const leader = await leaderPod(ctx, podNames(statefulSet));
  if (leader === undefined) return false;
  const { rootToken } = await ctx.keys();
  return (await raftPeers(ctx.bao(leader), rootToken)).some((peer) => peer.nodeId === pod && peer.voter);
}

/** A volume from an earlier life of this ordinal may hold another cluster's Raft state (hazard I33). */
async function refuseLeftovers(ctx: StepContext, pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${ctx.input.namespace}/persistentvolumeclaims/data-${pod}`;
  const claim = await ctx.kube.find<V1PersistentVolumeClaim & KubeObject>(path);
  if (claim === undefined) return;
  if (isSetAside(await ctx.journal.entries(), target(ctx).ordinal, claim.metadata?.uid ?? "")) return;
  throw new Refused(
    `PersistentVolumeClaim "data-${pod}" is there before ${pod} ever ran in this migration; its old data would never join. Remove it when nothing in it is wanted: kubectl -n ${ctx.input.namespace} delete pvc data-${pod} [I33]`,
    "I33",
  );
}

export default follower;
