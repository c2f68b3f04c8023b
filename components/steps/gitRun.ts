import { appliedSince, isAtWork, readyWords, runSeconds, type Kustomization } from "./fluxObjects";
import { requestNow } from "../delivery/fluxPause";
import type { RunningOwner } from "./landedValues";
import { ownerPath } from "./pauseRecord";
import type { StepContext } from "./runStep";
import { until, type HelmRelease } from "./world";

/** The Kustomization that applies the HelmRelease, once no run of it is under way; undefined where none does, or its user suspended it. */
export async function idleOwner(ctx: StepContext, release: HelmRelease): Promise<RunningOwner | undefined> {
  const path = ownerPath(release);
  const first = path === undefined ? undefined : await ctx.kube.find<Kustomization>(path);
  if (path === undefined || first === undefined || first.spec?.suspend === true) return undefined;
  const seconds = ctx.input.podTimeoutSeconds + runSeconds(first);
  return until<RunningOwner>(`Kustomization ${first.metadata?.name} to end its run`, seconds, async () => {
    const object = await ctx.kube.get<Kustomization>(path);
    return isAtWork(object) ? { seen: readyWords(object) } : { value: { path, object } };
  });
}

/** Asks for one more run over Git, as `flux reconcile kustomization` does, and waits until it has applied. */
export async function runOverGit(ctx: StepContext, { path, object }: RunningOwner): Promise<void> {
  const asked = requestNow();
  await ctx.fence.assertHeld();
  await ctx.kube.mergePatch(path, { metadata: { annotations: asked } });
  const seconds = ctx.input.podTimeoutSeconds + runSeconds(object);
  await until(`Kustomization ${object.metadata?.name} to apply Git once more`, seconds, async () => {
    const seen = await ctx.kube.get<Kustomization>(path);
    const handled = Object.values(asked).includes(seen.status?.lastHandledReconcileAt ?? "");
    return handled && appliedSince(seen) && !isAtWork(seen) ? { value: true } : { seen: readyWords(seen) };
  });
}
