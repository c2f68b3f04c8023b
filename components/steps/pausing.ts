import type { V1CronJob, V1Job } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { VALUES_ANNOTATION, valuesRecord } from "./originalValues";
import type { Facts, StepContext } from "./runStep";
import { condition, PAUSED_ANNOTATION, releasesPath, UPGRADE_ANNOTATION, type HelmRelease } from "./world";

interface Suspendable extends KubeObject {
  spec?: { suspend?: boolean };
}

/** Labels with which kustomize-controller marks what it applies. */
const OWNER_NAME = "kustomize.toolkit.fluxcd.io/name";
const OWNER_NAMESPACE = "kustomize.toolkit.fluxcd.io/namespace";
/** Tells kustomize-controller to leave this one object alone, even when a parent runs again. */
const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";

/** No wait, no rollback, no uninstall by Flux while the server is down on purpose (hazards I8, F54). */
const UPGRADE_WHILE_PAUSED = { disableWait: true, remediation: { retries: 0, remediateLastFailure: false } };

export function isPaused(release: HelmRelease): boolean {
  return release.spec?.suspend === true && release.metadata?.annotations?.[PAUSED_ANNOTATION] !== undefined;
}

/** Owner first: a parent that runs in between would drop the child's `suspend`. */
export async function pauseAll(ctx: StepContext): Promise<void> {
  const path = `${releasesPath(ctx.input.namespace)}/${ctx.input.release}`;
  const release = await ctx.kube.get<HelmRelease>(path);
  const owner = ownerPath(release);
  if (owner !== undefined) await suspend(ctx, owner);
  await pauseRelease(ctx, path, release);
  for (const job of await cronJobs(ctx))
    await suspend(ctx, `${cronJobsPath(ctx)}/${job.metadata?.name}`, job);
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
  const jobs = (await cronJobs(ctx)).filter(
    (j) => j.metadata?.annotations?.[PAUSED_ANNOTATION] !== undefined,
  );
  return {
    helmRelease: ctx.input.release,
    kustomization: release === undefined ? null : (ownerPath(release) ?? null),
    cronJobs: jobs.map((j) => j.metadata?.name),
  };
}

/** Gives back what pauseAll took, in the opposite order: only what carries our annotation. */
export async function resumeAll(ctx: StepContext): Promise<void> {
  for (const job of await cronJobs(ctx))
    await unsuspend(ctx, `${cronJobsPath(ctx)}/${job.metadata?.name}`, job);
  const path = `${releasesPath(ctx.input.namespace)}/${ctx.input.release}`;
  const release = await ctx.kube.get<HelmRelease>(path);
  const original = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  if (original !== undefined) {
    await ctx.kube.mergePatch(path, {
      metadata: {
        annotations: {
          [PAUSED_ANNOTATION]: null,
          [UPGRADE_ANNOTATION]: null,
          [VALUES_ANNOTATION]: null,
          [RECONCILE]: null,
          ...requestNow(),
        },
      },
      spec: { suspend: false, upgrade: restored(JSON.parse(original) as Record<string, unknown> | null) },
    });
  }
  const owner = ownerPath(release);
  if (owner !== undefined) await unsuspend(ctx, owner, await ctx.kube.get<Suspendable>(owner));
}

/** Lets the HelmRelease run once more, or holds it again; the rest stays paused. */
export async function setReleaseSuspended(ctx: StepContext, suspended: boolean): Promise<HelmRelease> {
  return ctx.kube.mergePatch<HelmRelease & KubeObject>(
    `${releasesPath(ctx.input.namespace)}/${ctx.input.release}`,
    {
      metadata: { annotations: suspended ? {} : requestNow() },
      spec: { suspend: suspended },
    },
  );
}

/** Flux's "reconcile now": any new value. */
function requestNow(): Record<string, string> {
  return { "reconcile.fluxcd.io/requestedAt": new Date().toISOString() };
}

async function pauseRelease(ctx: StepContext, path: string, release: HelmRelease): Promise<void> {
  const annotations = release.metadata?.annotations ?? {};
  // A second run must not take the paused `upgrade` for the user's own.
  const original = annotations[UPGRADE_ANNOTATION] ?? JSON.stringify(release.spec?.upgrade ?? null);
  await ctx.kube.mergePatch(path, {
    metadata: {
      annotations: {
        [PAUSED_ANNOTATION]: ctx.fence.holder,
        [UPGRADE_ANNOTATION]: original,
        ...valuesRecord(release),
        [RECONCILE]: "disabled",
      },
    },
    spec: { suspend: true, upgrade: UPGRADE_WHILE_PAUSED },
  });
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

async function suspend(ctx: StepContext, path: string, seen?: Suspendable): Promise<void> {
  const object = seen ?? (await ctx.kube.get<Suspendable>(path));
  // What was suspended before us stays so after us.
  if (object.spec?.suspend === true) return;
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { [PAUSED_ANNOTATION]: ctx.fence.holder } },
    spec: { suspend: true },
  });
}

async function unsuspend(ctx: StepContext, path: string, object: Suspendable): Promise<void> {
  if (object.metadata?.annotations?.[PAUSED_ANNOTATION] === undefined) return;
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { [PAUSED_ANNOTATION]: null } },
    spec: { suspend: false },
  });
}

function ownerPath(release: HelmRelease): string | undefined {
  const labels = release.metadata?.labels ?? {};
  const [name, namespace] = [labels[OWNER_NAME], labels[OWNER_NAMESPACE]];
  if (name === undefined || namespace === undefined) return undefined;
  return `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`;
}

function cronJobsPath(ctx: StepContext): string {
  return `/apis/batch/v1/namespaces/${ctx.input.namespace}/cronjobs`;
}

function cronJobs(ctx: StepContext): Promise<(V1CronJob & KubeObject)[]> {
  return ctx.kube.list<V1CronJob & KubeObject>(cronJobsPath(ctx));
}
