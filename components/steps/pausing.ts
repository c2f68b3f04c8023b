import type { V1Job } from "@kubernetes/client-node";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../cluster/kubeClient";
import { record } from "../cluster/openBaoStatus";
import { isMarked, ownerPath, RECONCILE, writersOf, type Writer } from "./pauseRecord";
import { valuesRecord } from "./originalValues";
import type { Facts, StepContext } from "./runStep";
import {
  APPLYING_ANNOTATION,
  condition,
  PAUSED_ANNOTATION,
  releasesPath,
  UPGRADE_ANNOTATION,
  type HelmRelease,
} from "./world";

/** No wait, no rollback, no uninstall by Flux while the server is down on purpose (hazards I8, F54). */
const UPGRADE_WHILE_PAUSED = { disableWait: true, remediation: { retries: 0, remediateLastFailure: false } };

export function isPaused(release: HelmRelease): boolean {
  return release.spec?.suspend === true && isMarked(release);
}

/** True when nothing is left for `pauseAll` to do. */
export async function allPaused(ctx: StepContext): Promise<boolean> {
  const writers = await writersOf(ctx);
  const release = writers.find(({ path }) => path === releasePath(ctx))?.object as HelmRelease;
  return (
    isPaused(release) &&
    condition(release, "Reconciling")?.status !== "True" &&
    writers.every(({ object }) => object.spec?.suspend === true)
  );
}

/** Owner first: a parent that runs in between would drop the child's `suspend`. */
export async function pauseAll(ctx: StepContext): Promise<void> {
  for (const writer of await writersOf(ctx)) {
    if (writer.path === releasePath(ctx)) await pauseRelease(ctx, writer.object as HelmRelease);
    else await suspend(ctx, writer);
  }
}

/** Bounded wait until no controller and no Job is at work. */
export async function waitUntilIdle(ctx: StepContext): Promise<Facts> {
  const release = await ctx.kube.waitFor<HelmRelease>(
    releasesPath(ctx.input.namespace),
    ctx.input.release,
    (object) =>
      object !== undefined && isPaused(object) && condition(object, "Reconciling")?.status !== "True",
    { what: "the HelmRelease to be suspended and idle", timeoutSeconds: ctx.input.podTimeoutSeconds },
  );
  const running = await ctx.kube.list<V1Job & KubeObject>(
    `/apis/batch/v1/namespaces/${ctx.input.namespace}/jobs`,
  );
  for (const job of running.filter((j) => (j.status?.active ?? 0) > 0)) {
    await ctx.kube.waitFor<V1Job & KubeObject>(
      `/apis/batch/v1/namespaces/${ctx.input.namespace}/jobs`,
      job.metadata?.name ?? "",
      (object) => (object?.status?.active ?? 0) === 0,
      { what: `Job ${job.metadata?.name} to end; it may write`, timeoutSeconds: ctx.input.podTimeoutSeconds },
    );
  }
  const jobs = (await writersOf(ctx)).filter(
    ({ path, object }) => path.includes("/cronjobs/") && isMarked(object),
  );
  return {
    helmRelease: ctx.input.release,
    kustomization: release === undefined ? null : (ownerPath(release) ?? null),
    cronJobs: jobs.map(({ object }) => object.metadata?.name),
  };
}

/** Lets the HelmRelease run once more, or holds it again; the rest stays paused. */
export async function setReleaseSuspended(ctx: StepContext, suspended: boolean): Promise<HelmRelease> {
  return ctx.kube.mergePatch<HelmRelease & KubeObject>(releasePath(ctx), {
    metadata: {
      annotations: {
        [APPLYING_ANNOTATION]: suspended ? null : ctx.fence.holder,
        ...(!suspended && requestNow()),
      },
    },
    spec: { suspend: suspended },
  });
}

/** Flux's "reconcile now": any new value. */
export function requestNow(): Record<string, string> {
  return { "reconcile.fluxcd.io/requestedAt": new Date().toISOString() };
}

async function pauseRelease(ctx: StepContext, release: HelmRelease): Promise<void> {
  const kept = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  // A second run must not take the paused `upgrade` for the user's own, nor an outdated copy for what they say now.
  const original = isAsPaused(release) ? kept : JSON.stringify(release.spec?.upgrade ?? null);
  await ctx.kube.mergePatch(releasePath(ctx), {
    metadata: {
      annotations: {
        [PAUSED_ANNOTATION]: ctx.fence.holder,
        [UPGRADE_ANNOTATION]: original,
        ...valuesRecord(release),
        [RECONCILE]: "disabled",
        [APPLYING_ANNOTATION]: null,
      },
    },
    spec: { suspend: true, upgrade: UPGRADE_WHILE_PAUSED },
  });
}

/**
 * True when `spec.upgrade` is what the pause made of the original that the annotation keeps. Further fields of
 * `remediation` do not count: the API server may fill in defaults there.
 */
export function isAsPaused(release: HelmRelease): boolean {
  const original = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  if (original === undefined) return false;
  const before = record(JSON.parse(original));
  const now = release.spec?.upgrade ?? {};
  const [then, live] = [record(before["remediation"]), record(now["remediation"])];
  const wanted = { ...before, ...UPGRADE_WHILE_PAUSED, remediation: null };
  const remediation = { ...then, ...UPGRADE_WHILE_PAUSED.remediation };
  return (
    isDeepStrictEqual({ ...now, remediation: null }, wanted) &&
    Object.entries(remediation).every(([key, value]) => isDeepStrictEqual(live[key], value))
  );
}

/** Merge patch that makes `spec.upgrade` what it was: keys of ours that it lacked are removed. */
export function restored(original: Record<string, unknown> | null): Record<string, unknown> | null {
  if (original === null) return null;
  const remediation = original["remediation"] as Record<string, unknown> | undefined;
  return {
    ...original,
    disableWait: original["disableWait"] ?? null,
    remediation:
      remediation === undefined
        ? null
        : {
            ...remediation,
            retries: remediation["retries"] ?? null,
            remediateLastFailure: remediation["remediateLastFailure"] ?? null,
          },
  };
}

async function suspend(ctx: StepContext, { path, object }: Writer): Promise<void> {
  // What was suspended before us is not marked, and so stays suspended after us.
  if (object.spec?.suspend === true) return;
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { [PAUSED_ANNOTATION]: ctx.fence.holder } },
    spec: { suspend: true },
  });
}

/** API path of the HelmRelease. */
export function releasePath(ctx: StepContext): string {
  return `${releasesPath(ctx.input.namespace)}/${ctx.input.release}`;
}
