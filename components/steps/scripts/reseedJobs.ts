// Before: the new store is initialised, unsealed and active; its keys are in the key Secret.
// After: each named Job has run once on it, to its end, in the config's order.
import type { V1CronJob, V1Job, V1JobSpec } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { endOfJob, removeJob } from "../nodeJob";
import { Refused, type Step, type StepContext } from "../runStep";
import { observeWorld } from "../world";

type ReseedJob = NonNullable<StepContext["input"]["reseed"]>["jobs"][number];

export const reseedJobs: Step = {
  id: "reseed-jobs",
  needsPause: true,

  async observe(ctx) {
    const done = await ctx.journal.done("reseed-jobs");
    if (done !== undefined) return { state: "done", observed: done.observed };
    const { moved, status0 } = await observeWorld(ctx);
    if (!moved || status0?.sealed !== false)
      return { state: "refuse", hazard: "I48", why: "the new store is not unsealed; nothing can fill it" };
    return { state: "todo", observed: { jobs: ctx.input.reseed?.jobs.length ?? 0 } };
  },

  async act(ctx) {
    for (const [at, job] of (ctx.input.reseed?.jobs ?? []).entries()) await runOnce(ctx, job, at);
  },

  async verify(ctx) {
    const jobs = ctx.input.reseed?.jobs ?? [];
    for (const [at, job] of jobs.entries()) {
      const made = await ctx.kube.get<V1Job & KubeObject>(`${jobsPath(ctx)}/${nameOf(job, at)}`);
      if (!has(made, "Complete")) throw new Error(`Job ${nameOf(job, at)} is not complete`);
    }
    return { jobs: jobs.map((job) => job.name) };
  },
};

/** A Job of ours that is complete is not run again; one that failed, or was cut off, is run anew. */
async function runOnce(ctx: StepContext, job: ReseedJob, at: number): Promise<void> {
  const name = nameOf(job, at);
  const earlier = await ctx.kube.find<V1Job & KubeObject>(`${jobsPath(ctx)}/${name}`);
  if (earlier !== undefined && has(earlier, "Complete")) return;
  if (earlier === undefined || has(earlier, "Failed")) {
    const spec = await templateOf(ctx, job);
    if (earlier !== undefined) {
      // The Job before may have taken long.
      await ctx.fence.assertHeld();
      await removeJob(ctx.kube, ctx.input.namespace, name);
    }
    await ctx.fence.assertHeld();
    await ctx.kube.create<V1Job & KubeObject>(jobsPath(ctx), {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" } },
      spec,
    });
  }
  ctx.log(`waiting for ${job.kind} ${job.name} to fill the store`);
  const ended = await endOfJob(ctx.kube, ctx.input.namespace, name, {
    timeoutSeconds: ctx.input.copyTimeoutSeconds,
  });
  if (has(ended, "Failed")) {
    throw new Refused(
      `Job ${name} failed; the new store is not filled. Look at its log, put it right, and run again [I48]`,
      "I48",
    );
  }
}

async function templateOf(ctx: StepContext, job: ReseedJob): Promise<V1JobSpec> {
  const batch = `/apis/batch/v1/namespaces/${ctx.input.namespace}`;
  if (job.kind === "CronJob") {
    const cron = await ctx.kube.find<V1CronJob & KubeObject>(`${batch}/cronjobs/${job.name}`);
    if (cron?.spec === undefined) throw missing(ctx, job);
    return runnable(cron.spec.jobTemplate.spec);
  }
  const found = await ctx.kube.find<V1Job & KubeObject>(`${batch}/jobs/${job.name}`);
  if (found?.spec === undefined) throw missing(ctx, job);
  return runnable(found.spec);
}

/** Pure: the spec without what ties it to its first run, and without the TTL that would remove its result unseen. */
export function runnable(spec: V1JobSpec | undefined): V1JobSpec {
  const { selector: _selector, ttlSecondsAfterFinished: _ttl, manualSelector: _own, ...rest } = spec!;
  const labels = Object.entries(rest.template.metadata?.labels ?? {}).filter(
    ([key]) => !/^(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/.test(key),
  );
  const metadata = { ...rest.template.metadata, labels: Object.fromEntries(labels) };
  return { ...rest, suspend: false, template: { ...rest.template, metadata } };
}

function missing(ctx: StepContext, job: ReseedJob): Refused {
  return new Refused(
    `no ${job.kind} "${job.name}" in "${ctx.input.namespace}", expected the one that openbao-migration:reseed names [I48]`,
    "I48",
  );
}

function has(job: (V1Job & KubeObject) | undefined, type: string): boolean {
  return job?.status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
}

function nameOf(job: ReseedJob, at: number): string {
  return `openbao-reseed-${at}-${job.name}`.slice(0, 63).replace(/[-.]+$/, "");
}

function jobsPath(ctx: StepContext): string {
  return `/apis/batch/v1/namespaces/${ctx.input.namespace}/jobs`;
}

export default reseedJobs;
