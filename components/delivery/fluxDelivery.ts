import type { KubeObject } from "../cluster/kubeClient";
import { ownersRecord } from "../steps/fieldConflicts";
import { originalValues, restorePatch, valuesRecord } from "../steps/originalValues";
import { isPaused, RECONCILE } from "../steps/pauseRecord";
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
import { isAsPaused, requestNow, UPGRADE_WHILE_PAUSED } from "./fluxPause";
import { resumeFromGit } from "./fluxResume";
import { releasePath, releasesPath } from "./releaseReader";

/** Flux's helm-controller applies the HelmRelease, which is suspended for the window. */
export const fluxDelivery: Delivery = {
  pause: pauseRelease,
  resume: resumeFromGit,
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
    await closeAgain(ctx);
  }
}

/** Takes back this program's own opening and no other: where its mark is gone, somebody else decides (hazard F53). */
async function closeAgain(ctx: StepContext): Promise<void> {
  const { metadata } = await ctx.kube.get<HelmRelease>(releasePath(ctx.input));
  if (metadata?.annotations?.[APPLYING_ANNOTATION] === ctx.fence.holder) await setReleaseSuspended(ctx, true);
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
        ...ownersRecord(release),
        [RECONCILE]: "disabled",
        [APPLYING_ANNOTATION]: null,
      },
    },
    spec: { suspend: true, upgrade: UPGRADE_WHILE_PAUSED },
  });
}
