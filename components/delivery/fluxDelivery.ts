import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../cluster/kubeClient";
import { record } from "../cluster/openBaoStatus";
import { originalValues, restorePatch, VALUES_ANNOTATION, valuesRecord } from "../steps/originalValues";
import { isPaused, RECONCILE, type BeforePause } from "../steps/pauseRecord";
import { Refused, type StepContext } from "../steps/runStep";
import {
  APPLYING_ANNOTATION,
  condition,
  PAUSED_ANNOTATION,
  until,
  UPGRADE_ANNOTATION,
  type HelmRelease,
} from "../steps/world";
import type { Delivery } from "./delivery";
import { releasePath, releasesPath } from "./releaseReader";

/** No wait, no rollback, no uninstall by Flux while the server is down on purpose (hazards I8, F54). */
const UPGRADE_WHILE_PAUSED = { disableWait: true, remediation: { retries: 0, remediateLastFailure: false } };

/** Flux's helm-controller applies the HelmRelease, which is suspended for the window. */
export const fluxDelivery: Delivery = {
  pause: pauseRelease,
  resume: resumeRelease,
  apply,

  async waitIdle(ctx) {
    const idle = await ctx.kube.waitFor<HelmRelease>(
      releasesPath(ctx.input.namespace),
      ctx.input.release,
      (object) =>
        object !== undefined && isPaused(object) && condition(object, "Reconciling")?.status !== "True",
      { what: "the HelmRelease to be suspended and idle", timeoutSeconds: ctx.input.podTimeoutSeconds },
    );
    return idle ?? {};
  },

  async waitSettled(ctx) {
    const generation = (await ctx.kube.get<HelmRelease>(releasePath(ctx.input))).metadata?.generation ?? 0;
    await ctx.kube.waitFor<HelmRelease>(
      releasesPath(ctx.input.namespace),
      ctx.input.release,
      (release) =>
        (release?.status?.observedGeneration ?? 0) >= generation &&
        condition(release, "Ready")?.status === "True",
      { what: "Flux to reconcile the resumed HelmRelease", timeoutSeconds: ctx.input.podTimeoutSeconds },
    );
  },

  async patchValues(ctx, values) {
    await ctx.kube.mergePatch(releasePath(ctx.input), { spec: { values } });
  },

  async restoreValues(ctx, release) {
    const original = originalValues(release);
    const values = original && restorePatch(release.spec?.values ?? {}, original);
    if (values === undefined) return;
    await ctx.fence.assertHeld();
    await ctx.kube.mergePatch(releasePath(ctx.input), { spec: { values } });
  },
};

/**
 * Lets helm-controller apply the HelmRelease's values once, waits until `missing` finds nothing missing in the live
 * objects, and suspends it again, also on failure: nothing else may upgrade the release in the window.
 */
async function apply(ctx: StepContext, missing: () => Promise<string | undefined>): Promise<void> {
  const path = releasePath(ctx.input);
  const asked = await setReleaseSuspended(ctx, false);
  const generation = asked.metadata?.generation ?? 0;
  ctx.log("waiting for Flux to apply the HelmRelease");
  try {
    await until("Flux to apply the HelmRelease", ctx.input.podTimeoutSeconds, async () => {
      const release = await ctx.kube.get<HelmRelease>(path);
      const ready = condition(release, "Ready");
      const current = (release.status?.observedGeneration ?? 0) >= generation;
      if (current && ready?.status === "False" && /Failed$/.test(ready.reason ?? "")) {
        throw new Refused(
          `Flux could not apply the HelmRelease: ${ready.reason}: ${ready.message?.slice(0, 300)} [F54]`,
          "F54",
        );
      }
      if (!current || ready?.status !== "True")
        return { seen: `Ready=${ready?.status ?? "?"} ${ready?.reason ?? ""}` };
      const lack = await missing();
      return lack === undefined ? { value: true } : { seen: lack };
    });
  } finally {
    await setReleaseSuspended(ctx, true);
  }
}

/** Lets the HelmRelease run once more, or holds it again; the rest stays paused. */
async function setReleaseSuspended(ctx: StepContext, suspended: boolean): Promise<HelmRelease> {
  return ctx.kube.mergePatch<HelmRelease & KubeObject>(releasePath(ctx.input), {
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
function requestNow(): Record<string, string> {
  return { "reconcile.fluxcd.io/requestedAt": new Date().toISOString() };
}

async function pauseRelease(ctx: StepContext, release: HelmRelease): Promise<void> {
  const kept = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  // A second run must not take the paused `upgrade` for the user's own, nor an outdated copy for what they say now.
  const original = isAsPaused(release) ? kept : JSON.stringify(release.spec?.upgrade ?? null);
  await ctx.kube.mergePatch(releasePath(ctx.input), {
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

async function resumeRelease(
  ctx: StepContext,
  release: HelmRelease,
  before: BeforePause | undefined,
): Promise<void> {
  const original = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  if (original !== undefined && !isAsPaused(release)) {
    throw new Refused(
      `spec.upgrade of the HelmRelease was changed while it was paused; found ${JSON.stringify(release.spec?.upgrade ?? null).slice(0, 200)}, expected what the pause wrote over ${original.slice(0, 200)}. Set it as you want it, remove the annotation ${UPGRADE_ANNOTATION}, and run again [F53]`,
      "F53",
    );
  }
  await ctx.kube.mergePatch(releasePath(ctx.input), {
    metadata: {
      annotations: {
        [PAUSED_ANNOTATION]: null,
        [UPGRADE_ANNOTATION]: null,
        [VALUES_ANNOTATION]: null,
        [APPLYING_ANNOTATION]: null,
        [RECONCILE]: before?.reconcile ?? null,
        ...requestNow(),
      },
    },
    spec: {
      suspend: before?.suspend ?? null,
      ...(original !== undefined && {
        upgrade: restored(JSON.parse(original) as Record<string, unknown> | null),
      }),
    },
  });
}

/**
 * True when `spec.upgrade` is what the pause made of the original that the annotation keeps. Further fields of
 * `remediation` do not count: the API server may fill in defaults there.
 */
function isAsPaused(release: HelmRelease): boolean {
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
