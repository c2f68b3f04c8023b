import type { V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";
import { isPassing, KubeError, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { OpenBaoUnreachable } from "../cluster/openBaoClient";
import {
  isLeader,
  record,
  sealStatusIfUp,
  settledStatus,
  UnexpectedReply,
  type SealStatus,
} from "../cluster/openBaoStatus";
import { readRelease, type ReleaseName } from "../delivery/releaseReader";
import { hasArrived, MOVED_BY } from "./carryPath";
import type { StepContext } from "./runStep";
import { assertMayWait } from "./waitGuard";

/** Flux's HelmRelease, as far as the steps look at it. */
export interface HelmRelease extends KubeObject {
  spec?: {
    suspend?: boolean;
    values?: Record<string, unknown>;
    upgrade?: Record<string, unknown>;
    [key: string]: unknown;
  };
  status?: {
    observedGeneration?: number;
    history?: readonly object[];
    storageNamespace?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
}

/** Marks what this program paused, so that `resume` resumes that and nothing else. */
export const PAUSED_ANNOTATION = "openbao-raft-migration/paused";
/** Keeps the HelmRelease's own `spec.upgrade` while remediation is off. */
export const UPGRADE_ANNOTATION = "openbao-raft-migration/original-upgrade";
/** There while this program itself lets Flux apply the HelmRelease once; a killed run leaves it. */
export const APPLYING_ANNOTATION = "openbao-raft-migration/applying";

/** So long may openbao-0 be silent before it counts as absent. */
const BUSY_SECONDS = 60;
/** So long may an election take before nobody counts as active. */
const ELECTION_SECONDS = 30;

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function statefulSetsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
}

/** The cluster as every step looks at it first: done is judged by this, never by Pulumi state. */
export interface World {
  readonly release: HelmRelease;
  readonly statefulSet: V1StatefulSet & KubeObject;
  readonly pod0: (V1Pod & KubeObject) | undefined;
  readonly status0: SealStatus | undefined;
  /** openbao-0 runs on Raft with its data: no step of before the cutover may act any more. */
  readonly moved: boolean;
  /** The HelmRelease asks for Raft. */
  readonly flipped: boolean;
}

/** @throws Error when the HelmRelease or the StatefulSet is missing. */
export async function observeWorld(ctx: StepContext): Promise<World> {
  const { namespace, release: name } = ctx.input;
  const [release, statefulSet, pod0] = await Promise.all([
    readRelease(ctx.kube, ctx.input),
    ctx.kube.get<V1StatefulSet & KubeObject>(`${statefulSetsPath(namespace)}/${name}`),
    ctx.kube.find<V1Pod & KubeObject>(`${podsPath(namespace)}/${name}-0`),
  ]);
  const status0 = isPlaced(pod0) ? await busyStatus(ctx, `${name}-0`) : undefined;
  const path = ctx.input.path ?? "migrate";
  const by = MOVED_BY[path];
  const noted = by !== undefined && (await ctx.journal.done(by)) !== undefined;
  return {
    release,
    statefulSet,
    pod0,
    status0,
    moved: hasArrived(path, status0, () => noted),
    flipped: wantsRaft(release),
  };
}

function busyStatus(ctx: StepContext, pod: string): Promise<SealStatus | undefined> {
  const seconds = Math.min(BUSY_SECONDS, ctx.input.podTimeoutSeconds);
  return settledStatus(ctx.bao(pod), seconds, () => ctx.log(`${pod} is busy and gives no answer yet`));
}

/**
 * Bounded wait for the seal status of a pod that has to be there.
 * @throws KubeError with reason Timeout.
 */
export function answeredStatus(ctx: StepContext, pod: string): Promise<SealStatus> {
  return until<SealStatus>(`${pod} to answer`, ctx.input.podTimeoutSeconds, async () => {
    const seen = await sealStatusIfUp(ctx.bao(pod));
    return seen === undefined ? { seen: "no answer" } : { value: seen };
  });
}

/** True when the values ask for ha.raft; it wins over standalone in the chart. */
export function wantsRaft(release: HelmRelease): boolean {
  const ha = record(record(record(release.spec?.values)["server"])["ha"]);
  return ha["enabled"] === true && record(ha["raft"])["enabled"] === true;
}

/** `server.ha.replicas` of the HelmRelease when it is a number. */
export function wantedReplicas(release: HelmRelease): number | undefined {
  const replicas = record(record(record(release.spec?.values)["server"])["ha"])["replicas"];
  return typeof replicas === "number" ? replicas : undefined;
}

/**
 * True unless Helm itself left the release half upgraded, as a killed run does. Flux settles its own: there the live
 * objects alone count.
 */
export function isApplied(release: HelmRelease, delivery: ReleaseName["delivery"]): boolean {
  return delivery !== "helm" || condition(release, "Ready")?.status === "True";
}

export function condition(release: HelmRelease | undefined, type: string) {
  return release?.status?.conditions?.find((c) => c.type === type);
}

/** Names of the server's pods up to the StatefulSet's replica count. */
export function podNames(statefulSet: V1StatefulSet): string[] {
  const name = statefulSet.metadata?.name ?? "";
  return Array.from({ length: statefulSet.spec?.replicas ?? 0 }, (_, ordinal) => `${name}-${ordinal}`);
}

/** The pod that says it is the leader itself, or undefined. */
export async function leaderPod(ctx: StepContext, pods: readonly string[]): Promise<string | undefined> {
  const answers = await Promise.all(
    pods.map(async (pod) => {
      try {
        return (await isLeader(ctx.bao(pod))) ? pod : undefined;
      } catch (error) {
        if (error instanceof OpenBaoUnreachable) return undefined;
        throw error;
      }
    }),
  );
  return answers.find((pod) => pod !== undefined);
}

/** Like leaderPod, asked again while an election may be under way: it takes seconds, and is no fault. */
export async function activePod(ctx: StepContext, pods: readonly string[]): Promise<string | undefined> {
  const end = Date.now() + Math.min(ELECTION_SECONDS, ctx.input.podTimeoutSeconds) * 1000;
  for (;;) {
    const leader = await leaderPod(ctx, pods);
    if (leader !== undefined || Date.now() > end) return leader;
    await delay(200);
  }
}

/**
 * Looks again and again until `look` gives something; for states that have no watch, such as OpenBao's. A look that
 * gets no answer, or a server's error, has seen that, and is no end.
 * @throws KubeError with reason Timeout that names what was waited for and what was seen last; Refused when somebody ends
 * the pause of a step that needs it.
 */
export async function until<T>(
  what: string,
  timeoutSeconds: number,
  look: () => Promise<{ readonly value: T } | { readonly seen: string }>,
): Promise<T> {
  const end = Date.now() + timeoutSeconds * 1000;
  let seen = "nothing yet";
  do {
    assertMayWait();
    const answer = await look().catch(seenFailure);
    if ("value" in answer) return answer.value;
    seen = answer.seen;
    await delay(200);
  } while (Date.now() < end);
  throw new KubeError(`waited ${timeoutSeconds} s for ${what}; last seen: ${seen}`, 0, "Timeout");
}

function seenFailure(error: unknown): { readonly seen: string } {
  // 307: a standby that has not reached its new leader yet sends the client there by itself.
  const serverError = error instanceof UnexpectedReply && (error.status >= 500 || error.status === 307);
  if (!(error instanceof OpenBaoUnreachable) && !serverError && !isPassing(error)) throw error;
  return { seen: (error as Error).message };
}

/** Sets the replica count by the scale subresource, up or down. */
export async function scale(
  kube: KubeClient,
  namespace: string,
  name: string,
  replicas: number,
): Promise<void> {
  await kube.mergePatch(`${statefulSetsPath(namespace)}/${name}/scale`, { spec: { replicas } });
}

/**
 * Waits until the pod has a node and does not go away. Its phase says nothing here: a postStart hook that waits keeps
 * it at Pending, while a port-forward already reaches the server.
 */
export function waitForPod(ctx: StepContext, pod: string): Promise<(V1Pod & KubeObject) | undefined> {
  return ctx.kube.waitFor<V1Pod & KubeObject>(podsPath(ctx.input.namespace), pod, isPlaced, {
    what: `pod ${pod} to be placed on a node`,
    timeoutSeconds: ctx.input.podTimeoutSeconds,
  });
}

/**
 * Waits until the kubelet says Running. A follower needs it: before that its name is not in DNS, so the leader cannot
 * reach it, and each key given to it is lost (seen with a postStart hook that waits: HTTP 500 for two minutes).
 */
export function waitForRunning(ctx: StepContext, pod: string): Promise<(V1Pod & KubeObject) | undefined> {
  const running = (seen: (V1Pod & KubeObject) | undefined) =>
    isPlaced(seen) && seen?.status?.phase === "Running";
  return ctx.kube.waitFor<V1Pod & KubeObject>(podsPath(ctx.input.namespace), pod, running, {
    what: `pod ${pod} to run`,
    timeoutSeconds: ctx.input.podTimeoutSeconds,
  });
}

/** Removes the pod, that one by its uid: the StatefulSet makes it anew, which a second run must not remove. */
export async function replacePod(ctx: StepContext, pod: string, uid: string): Promise<void> {
  try {
    await ctx.kube.remove(`${podsPath(ctx.input.namespace)}/${pod}`, { preconditions: { uid } });
  } catch (error) {
    if (!(error instanceof KubeError) || (error.status !== 404 && error.status !== 409)) throw error;
  }
  const gone = (seen: (V1Pod & KubeObject) | undefined) => seen?.metadata?.uid !== uid;
  await ctx.kube.waitFor<V1Pod & KubeObject>(podsPath(ctx.input.namespace), pod, gone, {
    what: `the old ${pod} to be gone`,
    timeoutSeconds: ctx.input.podTimeoutSeconds,
  });
}

function isPlaced(pod: (V1Pod & KubeObject) | undefined): boolean {
  const ended = pod?.status?.phase === "Succeeded" || pod?.status?.phase === "Failed";
  return pod?.spec?.nodeName !== undefined && pod.metadata?.deletionTimestamp === undefined && !ended;
}
