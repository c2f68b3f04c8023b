import type { V1Job } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { deliveryOf } from "../delivery/delivery";
import { releasePath } from "../delivery/releaseReader";
import { isMarked, isPaused, ownerPath, writersOf, type Writer } from "./pauseRecord";
import type { Facts, StepContext } from "./runStep";
import { condition, PAUSED_ANNOTATION, type HelmRelease } from "./world";

export { isPaused };

/** True when nothing is left for `pauseAll` to do. */
export async function allPaused(ctx: StepContext): Promise<boolean> {
  const writers = await writersOf(ctx);
  const release = writers.find(({ path }) => path === releasePath(ctx.input))?.object as HelmRelease;
  return (
    isPaused(release) &&
    condition(release, "Reconciling")?.status !== "True" &&
    writers.every(({ object }) => object.spec?.suspend === true)
  );
}

/** Owner first: a parent that runs in between would drop the child's `suspend`. */
export async function pauseAll(ctx: StepContext): Promise<void> {
  for (const writer of await writersOf(ctx)) {
    if (writer.path === releasePath(ctx.input))
      await deliveryOf(ctx.input).pause(ctx, writer.object as HelmRelease);
    else await suspend(ctx, writer);
  }
}

/** Bounded wait until no controller and no Job is at work. */
export async function waitUntilIdle(ctx: StepContext): Promise<Facts> {
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

async function suspend(ctx: StepContext, { path, object }: Writer): Promise<void> {
  // What was suspended before us is not marked, and so stays suspended after us.
  if (object.spec?.suspend === true) return;
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { [PAUSED_ANNOTATION]: ctx.fence.holder } },
    spec: { suspend: true },
  });
}
