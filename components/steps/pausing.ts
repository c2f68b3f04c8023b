import type { V1Job } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { deliveryOf } from "../delivery/delivery";
import { readRelease, releasePath } from "../delivery/releaseReader";
import { isAtWork, readyWords, runSeconds, type Kustomization } from "./fluxObjects";
import {
  isMarked,
  isOwner,
  isOwnerPaused,
  isPaused,
  ownerPath,
  ownerPause,
  writersOf,
  type Writer,
} from "./pauseRecord";
import type { Facts, StepContext } from "./runStep";
import { condition, PAUSED_ANNOTATION, until, type HelmRelease } from "./world";

export { isPaused };

/** True when nothing is left for `pauseAll` to do. */
export async function allPaused(ctx: StepContext): Promise<boolean> {
  const writers = await writersOf(ctx);
  const release = writers.find(({ path }) => path === releasePath(ctx.input))?.object as HelmRelease;
  return (
    isPaused(release) &&
    condition(release, "Reconciling")?.status !== "True" &&
    writers.every(({ object }) => object.spec?.suspend === true) &&
    writers.filter(isOwner).every(({ object }) => isOwnerPaused(object) && !isAtWork(object as Kustomization))
  );
}

/** Owner first, and to the end of its run: one that runs in between would drop the child's `suspend`. */
export async function pauseAll(ctx: StepContext): Promise<void> {
  for (const writer of await writersOf(ctx)) {
    // The owner's last run may have taken long.
    await ctx.fence.assertHeld();
    if (writer.path === releasePath(ctx.input)) {
      // Read anew: the owner's last run may have changed it, and its values are recorded for the way back.
      await deliveryOf(ctx.input).pause(ctx, await readRelease(ctx.kube, ctx.input));
    } else if (isOwner(writer)) await pauseOwner(ctx, writer);
    else await suspend(ctx, writer);
  }
}

/** Bounded wait until no controller and no Job is at work. */
export async function waitUntilIdle(ctx: StepContext): Promise<Facts> {
  for (const owner of (await writersOf(ctx)).filter(isOwner)) await ownerIdle(ctx, owner);
  const release = await deliveryOf(ctx.input).waitIdle(ctx);
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
    kustomization: ownerPath(release) ?? null,
    cronJobs: jobs.map(({ object }) => object.metadata?.name),
  };
}

/** Marked also when the user had suspended it: a parent whose Git says `suspend: false` un-suspends that one too (I38). */
async function pauseOwner(ctx: StepContext, owner: Writer): Promise<void> {
  if (!isOwnerPaused(owner.object)) await ctx.kube.mergePatch(owner.path, ownerPause(ctx.fence.holder));
  await ownerIdle(ctx, owner);
}

/** A run that began before the suspension goes on, and still writes: it ends by the Kustomization's own timeout. */
async function ownerIdle(ctx: StepContext, { path, object }: Writer): Promise<void> {
  const what =
    `Kustomization ${object.metadata?.name} to end the run that began before it was suspended (where its controller ` +
    `was stopped in that run: flux resume kustomization, wait until it is ready, and run again)`;
  await until(what, ctx.input.podTimeoutSeconds + runSeconds(object as Kustomization), async () => {
    const seen = await ctx.kube.get<Kustomization>(path);
    return isAtWork(seen) ? { seen: `at work, ${readyWords(seen)}` } : { value: true };
  });
}

async function suspend(ctx: StepContext, { path, object }: Writer): Promise<void> {
  // What was suspended before us is not marked, and so stays suspended after us.
  if (object.spec?.suspend === true) return;
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { [PAUSED_ANNOTATION]: ctx.fence.holder } },
    spec: { suspend: true },
  });
}
