import { differenceLine, valueDifferences } from "../land/valueDifferences";
import { OWNED_VALUES } from "../openBaoConfig/targetValues";
import { OWNERS_ANNOTATION, ownersNow } from "../steps/fieldConflicts";
import { appliedSince, readyWords, runSeconds, type Kustomization } from "../steps/fluxObjects";
import { restorePatch, VALUES_ANNOTATION, valuesAsRecord } from "../steps/originalValues";
import {
  isMarked,
  ownerPath,
  ownerPause,
  RECONCILE,
  unmarked,
  type BeforePause,
  type PauseRecord,
} from "../steps/pauseRecord";
import { Refused, type StepContext } from "../steps/runStep";
import { APPLYING_ANNOTATION, until, UPGRADE_ANNOTATION, type HelmRelease } from "../steps/world";
import { isAsPaused, requestNow, restored } from "./fluxPause";
import { releasePath } from "./releaseReader";

/**
 * Gives the HelmRelease and the Kustomization that applies it back. The Kustomization goes first, while the HelmRelease
 * is still suspended: what Git makes of its values shows before Flux's helm-controller can act on them.
 * @throws Refused when `spec.upgrade` is neither as found nor as the pause left it: it is not overwritten (F53); and
 * when Git takes back a value of this program: all is paused again, with the values as they were (F69).
 */
export async function resumeFromGit(
  ctx: StepContext,
  release: HelmRelease,
  before: PauseRecord,
): Promise<void> {
  const path = releasePath(ctx.input);
  const owner = ownerPath(release);
  const opened = await openRelease(ctx, release, before[path]);
  if (owner !== undefined) await resumeOwner(ctx, owner, before[owner], opened);
  await ctx.fence.assertHeld();
  const patch = unmarked(before[path]);
  const records = { [VALUES_ANNOTATION]: null, [OWNERS_ANNOTATION]: null };
  const annotations = { ...patch.metadata.annotations, ...records, ...requestNow() };
  await ctx.kube.mergePatch(path, { ...patch, metadata: { annotations } });
}

/** All but its suspension: kustomize-controller may write it again, helm-controller may not act on it yet. */
async function openRelease(
  ctx: StepContext,
  release: HelmRelease,
  before: BeforePause | undefined,
): Promise<HelmRelease> {
  const original = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  if (original !== undefined && !isAsPaused(release)) {
    throw new Refused(
      `spec.upgrade of the HelmRelease was changed while it was paused; found ${JSON.stringify(release.spec?.upgrade ?? null).slice(0, 200)}, expected what the pause wrote over ${original.slice(0, 200)}. Set it as you want it, remove the annotation ${UPGRADE_ANNOTATION}, and run again [F53]`,
      "F53",
    );
  }
  await ctx.fence.assertHeld();
  return ctx.kube.mergePatch<HelmRelease>(releasePath(ctx.input), {
    metadata: {
      annotations: {
        [UPGRADE_ANNOTATION]: null,
        [APPLYING_ANNOTATION]: null,
        [RECONCILE]: before?.reconcile ?? null,
      },
    },
    ...(original !== undefined && {
      spec: { upgrade: restored(JSON.parse(original) as Record<string, unknown> | null) },
    }),
  });
}

/** @throws Refused when what it applies differs in a value that this program owns (F69); Timeout when it does not apply. */
async function resumeOwner(
  ctx: StepContext,
  path: string,
  before: BeforePause | undefined,
  release: HelmRelease,
): Promise<void> {
  let owner = await ctx.kube.get<Kustomization>(path);
  if (isMarked(owner)) {
    await ctx.fence.assertHeld();
    // Marked still, and its parent still leaves it alone: both end with the resuming, after the HelmRelease.
    owner = await ctx.kube.mergePatch<Kustomization>(path, { spec: { suspend: before?.suspend ?? null } });
  }
  if (owner.spec?.suspend === true) return;
  await until(
    `Kustomization ${owner.metadata?.name} to apply what Git says`,
    // A run that began before the pause ends by its own timeout: suspending does not stop its health check.
    ctx.input.podTimeoutSeconds + runSeconds(owner),
    async () => {
      owner = await ctx.kube.get<Kustomization>(path);
      return appliedSince(owner) ? { value: true } : { seen: readyWords(owner) };
    },
  );
  const now = await ctx.kube.get<HelmRelease>(releasePath(ctx.input));
  const differences = valueDifferences(now.spec?.values ?? {}, release.spec?.values ?? {}, OWNED_VALUES);
  if (differences.length === 0) {
    const same = now.metadata?.generation === release.metadata?.generation;
    ctx.log(
      `Kustomization ${owner.metadata?.name} applied Git; HelmRelease ${same ? "unchanged" : "changed elsewhere"}`,
    );
    return;
  }
  await pauseAgain(ctx, path, now, release);
  throw new Refused(
    `what Flux applies from Git takes back what runs: ${differences.slice(0, 10).map(differenceLine).join("; ")}. ` +
      `Nothing of it reached the server: the Kustomization and the HelmRelease are paused again, with the values as they were. ` +
      `Make Git say what runs (patches of overlays count), then run pulumi up again [F69]`,
    "F69",
  );
}

async function pauseAgain(
  ctx: StepContext,
  owner: string,
  now: HelmRelease,
  release: HelmRelease,
): Promise<void> {
  await ctx.fence.assertHeld();
  await ctx.kube.mergePatch(owner, ownerPause(ctx.fence.holder));
  const values = restorePatch(now.spec?.values ?? {}, valuesAsRecord(release));
  await ctx.kube.mergePatch(releasePath(ctx.input), {
    // What the Kustomization wrote while it was let to is no conflict of later steps.
    metadata: { annotations: { [RECONCILE]: "disabled", ...ownersNow(now) } },
    ...(values !== undefined && { spec: { values } }),
  });
}
