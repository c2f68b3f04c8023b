import type { V1Container, V1Job, V1Pod, V1PodSpec, V1StatefulSet } from "@kubernetes/client-node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KubeError, type KubeClient, type KubeObject, type WaitOptions } from "../cluster/kubeClient";
import { PROJECT_ROOT } from "../projectRoot";
import { resultOf, resultOfScript, type JobResult } from "./jobResult";
import { Refused, type StepContext } from "./runStep";
import { podsPath, until } from "./world";

/** A Job on one data volume, made from the server's own pod template. */
export interface NodeJob {
  /** Name of the Job and of the ConfigMap with its files. */
  readonly name: string;
  /** File in steps/jobs that the Job runs. */
  readonly script: string;
  /** Further files beside the script, as name -> text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Ordinal of the pod whose data volume it works on. @default 0 */
  readonly ordinal?: number;
  /** Node that had the volume last; preferred, since a volume may need time to move. */
  readonly node?: string;
  /** Work folder in memory rather than on the node's disk. @default true */
  readonly memory?: boolean;
  /** The data volume is only read. @default false */
  readonly readOnly?: boolean;
  /** Further folders that the work folder stands in for, such as that of the audit log. */
  readonly scratchAt?: readonly string[];
  /** Variables of the container; none is a secret. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** Bound of the wait for an earlier Job and its pods. */
const GONE_SECONDS = 120;
const LABEL = { "app.kubernetes.io/managed-by": "openbao-raft-migration" };

/**
 * Pure: the Job. Same image, user and scheduling as the server, no ServiceAccount token, no privilege, and labels
 * that no Service, StatefulSet or PodDisruptionBudget of the server selects.
 */
export function buildJob(statefulSet: V1StatefulSet, job: NodeJob): V1Job {
  const template = statefulSet.spec?.template.spec;
  const server = template?.containers.find((c) => c.name === "openbao") ?? template?.containers[0];
  const claim = `data-${statefulSet.metadata?.name}-${job.ordinal ?? 0}`;
  const container: V1Container = {
    name: "step",
    image: server?.image ?? "",
    imagePullPolicy: server?.imagePullPolicy ?? "IfNotPresent",
    command: ["/bin/sh", `/job/${job.script}`],
    env: Object.entries({ BAO_LOG_LEVEL: "info", ...job.env }).map(([name, value]) => ({ name, value })),
    terminationMessagePolicy: "File",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "data", mountPath: "/openbao/data", ...(job.readOnly === true && { readOnly: true }) },
      { name: "work", mountPath: "/scratch" },
      ...(job.scratchAt ?? []).map((mountPath) => ({ name: "work", mountPath })),
      { name: "job", mountPath: "/job", readOnly: true },
    ],
  };
  const spec: V1PodSpec = {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      ...template?.securityContext,
      // Changing the owner of 100,000 files would cost the outage many seconds.
      fsGroupChangePolicy: "OnRootMismatch",
    },
    containers: [container],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: claim } },
      { name: "work", emptyDir: job.memory === false ? {} : { medium: "Memory" } },
      { name: "job", configMap: { name: job.name } },
    ],
    ...(template?.imagePullSecrets && { imagePullSecrets: template.imagePullSecrets }),
    ...(template?.tolerations && { tolerations: template.tolerations }),
    ...(template?.nodeSelector && { nodeSelector: template.nodeSelector }),
    ...(job.node !== undefined && { affinity: preferNode(job.node) }),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: job.name, labels: LABEL },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: job.timeoutSeconds,
      template: { metadata: { labels: { ...LABEL, app: job.name } }, spec },
    },
  };
}

/**
 * Runs the Job anew (an earlier one of the same name is removed first) and waits for its result.
 * @throws KubeError with reason Timeout; Error when the Job gives no result, whatever its exit status, or is deleted.
 */
export async function runJob(ctx: StepContext, job: NodeJob): Promise<JobResult> {
  const { kube, input } = ctx;
  const started = await startJob(ctx, job);
  const end = Date.now() + job.timeoutSeconds * 1000;
  const watcher = followProgress(ctx, job.name, end);
  const over = new AbortController();
  const wait = { timeoutSeconds: job.timeoutSeconds + 30, signal: over.signal };
  try {
    const byJob = endOfJob(kube, input.namespace, job.name, wait).then((done) =>
      resultOf(kube, input.namespace, done),
    );
    const byScript = resultOfScript(kube, input.namespace, started, wait);
    return await Promise.race([byJob, byScript.catch(() => byJob)]);
  } catch (error) {
    // Somebody ended the pause: the server may start on the volume that the Job works on.
    if (error instanceof Refused) await removeJob(kube, input.namespace, job.name).catch(() => undefined);
    throw error;
  } finally {
    over.abort();
    watcher.stop();
  }
}

/** Waits until the Job has succeeded or failed. @throws Error at once when somebody deletes it; KubeError with reason Timeout */
export async function endOfJob(
  kube: KubeClient,
  namespace: string,
  name: string,
  wait: Pick<WaitOptions, "timeoutSeconds" | "signal">,
): Promise<V1Job & KubeObject> {
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const deleted = (job: KubeObject | undefined) => job?.metadata?.deletionTimestamp !== undefined;
  const job = await kube.waitFor<V1Job & KubeObject>(
    jobs,
    name,
    (seen) => seen === undefined || ended(seen) || deleted(seen),
    { ...wait, what: `Job ${name} to end` },
  );
  if (job !== undefined && ended(job)) return job;
  throw new Error(
    `Job ${name} was deleted while it ran, and not by this program; nothing of its work counts. Find out who deletes ` +
      `Jobs in namespace "${namespace}", then run pulumi up again: it waits for the Job's pods and starts it anew [F17]`,
  );
}

/** Starts the Job anew, an earlier one of the same name is removed first; the caller ends it with removeJob. */
export async function startJob(ctx: StepContext, job: NodeJob): Promise<KubeObject> {
  const { kube, input } = ctx;
  const statefulSet = await kube.get<V1StatefulSet>(
    `/apis/apps/v1/namespaces/${input.namespace}/statefulsets/${input.release}`,
  );
  // The earlier Job may be another run's, at work: what came before may have been a long wait.
  await ctx.fence.assertHeld();
  await removeJob(kube, input.namespace, job.name);
  await writeFiles(kube, input.namespace, job);
  await ctx.fence.assertHeld();
  return await kube.create<V1Job & KubeObject>(
    `/apis/batch/v1/namespaces/${input.namespace}/jobs`,
    buildJob(statefulSet, job),
  );
}

/** Removes the Job with its pods, and waits until the pods are gone: two writers on one volume are one too many. */
export async function removeJob(kube: KubeClient, namespace: string, name: string): Promise<void> {
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  try {
    await kube.remove(`${jobs}/${name}`, { propagationPolicy: "Foreground" });
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 404) throw error;
  }
  await kube.waitFor(jobs, name, (object) => object === undefined, {
    what: `the earlier Job ${name} and its pods to be gone`,
    timeoutSeconds: GONE_SECONDS,
  });
  // Whoever deleted the Job in the background has left its pod running for a while.
  await until(`the pods of the earlier Job ${name} to end`, GONE_SECONDS, async () => {
    const pods = await kube.list<V1Pod & KubeObject>(podsPath(namespace), {
      labelSelector: `job-name=${name}`,
    });
    const left = pods.filter(({ status }) => !["Succeeded", "Failed"].includes(status?.phase ?? ""));
    const seen = left.map(({ metadata }) => metadata?.name).join(", ");
    return left.length === 0 ? { value: true } : { seen };
  });
}

async function writeFiles(kube: KubeClient, namespace: string, job: NodeJob): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const script = readFileSync(join(PROJECT_ROOT, "components/steps/jobs", job.script), "utf8");
  const map = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: job.name, labels: LABEL },
    data: { [job.script]: script, ...job.files },
  };
  const existing = await kube.find(`${path}/${job.name}`);
  if (existing === undefined) await kube.create(path, map);
  else await kube.replace(`${path}/${job.name}`, map);
}

function ended(job: V1Job): boolean {
  const conditions = job.status?.conditions ?? [];
  return conditions.some((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True");
}

/** Shows the Job's own progress lines; a log that cannot be read costs the display and nothing else. */
function followProgress(ctx: StepContext, name: string, end: number): { stop(): void } {
  let total = 0;
  let last = "";
  const started = Date.now();
  const timer = setInterval(() => void look().catch(() => undefined), 2_000);
  const look = async () => {
    if (Date.now() > end) return clearInterval(timer);
    const pods = await ctx.kube.list<V1Pod & KubeObject>(`/api/v1/namespaces/${ctx.input.namespace}/pods`, {
      labelSelector: `app=${name}`,
    });
    const pod = pods[0]?.metadata?.name;
    if (pod === undefined) return;
    const log = await ctx.kube.text(`/api/v1/namespaces/${ctx.input.namespace}/pods/${pod}/log`, {
      tailLines: "3",
    });
    total = Number(/@total (\d+)/.exec(log)?.[1] ?? total);
    const copied = [...log.matchAll(/@copied (\d+)/g)].at(-1)?.[1];
    if (copied === undefined || copied === last) return;
    last = copied;
    ctx.log(progressLine(Number(copied), total, (Date.now() - started) / 1000));
  };
  return { stop: () => clearInterval(timer) };
}

/** "1200 of 5000 keys copied, about 7 s left". */
export function progressLine(copied: number, total: number, seconds: number): string {
  const left =
    copied > 0 && total > copied ? `, about ${Math.ceil((seconds / copied) * (total - copied))} s left` : "";
  return `${copied} of ${total > 0 ? total : "?"} keys copied${left}`;
}

function preferNode(node: string): V1PodSpec["affinity"] {
  const preference = {
    matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }],
  };
  return { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] } };
}
