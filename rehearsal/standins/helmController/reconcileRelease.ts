import { findChart } from "./chartFolder";
import type { ClusterAccess } from "./clusterAccess";
import { composeValues, valuesDigest, type Values } from "./composeValues";
import { findCondition, removeCondition, setCondition } from "./conditions";
import { takeRequest, requestedAt } from "./handleRequest";
import {
  durationMs,
  finalizer,
  releaseName,
  releaseNamespace,
  type HelmRelease,
  type HelmReleaseStatus,
} from "./helmRelease";
import { Pass, type Outcome } from "./releasePass";
import { ReleaseStorage } from "./releaseStorage";
import type { Helm } from "./runHelm";

export interface Tools {
  cluster: ClusterAccess;
  helm: Helm;
  chartsDir: string;
}

/** When to come back: at once with backoff, after a time in ms, or only at a change. */
export type Next = { kind: "retry" } | { kind: "after"; ms: number } | { kind: "wait" };

// Flux asks again for a missing source or dependency after this time.
const dependencyRetryMs = 5_000;

/** One reconcile of one HelmRelease, from reading it to the last status. @throws on errors of the API server. */
export async function reconcileRelease(tools: Tools, namespace: string, name: string): Promise<Next> {
  const release = await tools.cluster.helmRelease(namespace, name);
  if (!release) return { kind: "wait" };
  const finalizers = release.metadata.finalizers ?? [];
  if (release.metadata.deletionTimestamp) return deleteRelease(tools, release);
  if (!finalizers.includes(finalizer)) {
    await tools.cluster.writeFinalizers(release, [...finalizers, finalizer]);
    return { kind: "after", ms: 0 };
  }
  const before = release.status ?? {};
  const status = structuredClone(before);
  const outcome = release.spec.suspend ? ("settled" as const) : await attempt(tools, release, status);
  // As Flux: a suspended object counts as observed, which shows that no action on it is running any more.
  if (outcome === "settled" || outcome === "stalled") status.observedGeneration = release.metadata.generation;
  const asked = requestedAt(release);
  if (asked !== undefined) status.lastHandledReconcileAt = asked;
  if (JSON.stringify(status) !== JSON.stringify(before))
    await tools.cluster.writeStatus(release, before, status);
  if (release.spec.suspend || outcome === "stalled") return { kind: "wait" };
  if (outcome === "settled") return { kind: "after", ms: durationMs(release.spec.interval) };
  return outcome === "waiting" ? { kind: "after", ms: dependencyRetryMs } : { kind: "retry" };
}

async function attempt(tools: Tools, release: HelmRelease, status: HelmReleaseStatus): Promise<Outcome> {
  const { generation } = release.metadata;
  const notReady = (reason: string, message: string, outcome: Outcome): Outcome => {
    setCondition(status, generation, { type: "Ready", status: "False", reason, message });
    setCondition(status, generation, {
      type: "Reconciling",
      status: "True",
      reason: "ProgressingWithRetry",
      message,
    });
    return outcome;
  };
  const waitsFor = await unreadyDependency(tools.cluster, release);
  if (waitsFor) return notReady("DependencyNotReady", `dependency '${waitsFor}' is not ready`, "waiting");
  let chart: Awaited<ReturnType<typeof findChart>>;
  try {
    chart = await findChart(release, tools.chartsDir, tools.cluster);
  } catch (error) {
    return notReady("SourceNotReady", (error as Error).message, "waiting");
  }
  let values: Values;
  try {
    const read = tools.cluster.dataReader(release.metadata.namespace);
    values = await composeValues(release.spec.values, release.spec.valuesFrom, read);
  } catch (error) {
    return notReady("ValuesError", (error as Error).message, "retry");
  }
  if (findCondition(status, "Ready")?.reason.match(/^(DependencyNotReady|SourceNotReady|ValuesError)$/)) {
    const message = "reconciliation in progress";
    setCondition(status, generation, { type: "Ready", status: "Unknown", reason: "Progressing", message });
  }
  noteAttempt(release, status, chart.version, valuesDigest(values));
  return new Pass(tools, release, status, chart, values).run();
}

/** Starts the count of failures anew when anything that could have caused them is different from the last attempt. */
function noteAttempt(release: HelmRelease, status: HelmReleaseStatus, version: string, digest: string): void {
  const resetAsked = takeRequest(release, status, "reset");
  const changed =
    status.lastAttemptedGeneration !== release.metadata.generation ||
    status.lastAttemptedRevision !== version ||
    status.lastAttemptedConfigDigest !== digest;
  if (changed || resetAsked) {
    delete status.failures;
    delete status.installFailures;
    delete status.upgradeFailures;
  }
  status.storageNamespace = releaseNamespace(release);
  status.lastAttemptedGeneration = release.metadata.generation;
  status.lastAttemptedRevision = version;
  status.lastAttemptedConfigDigest = digest;
}

async function unreadyDependency(cluster: ClusterAccess, release: HelmRelease): Promise<string | undefined> {
  for (const { name, namespace = release.metadata.namespace } of release.spec.dependsOn ?? []) {
    const found = await cluster.helmRelease(namespace, name);
    const ready = found?.status && findCondition(found.status, "Ready")?.status === "True";
    if (!ready || found.status?.observedGeneration !== found.metadata.generation)
      return `${namespace}/${name}`;
  }
  return undefined;
}

/** Uninstalls what was installed, unless suspended, and lets the object go. */
async function deleteRelease(tools: Tools, release: HelmRelease): Promise<Next> {
  const finalizers = release.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) return { kind: "wait" };
  const before = release.status ?? {};
  const status = structuredClone(before);
  if (!release.spec.suspend && status.storageNamespace && status.history?.length) {
    const storage = new ReleaseStorage(tools.cluster.core, releaseNamespace(release), releaseName(release));
    const pass = new Pass(tools, release, status, { dir: "", name: "", version: "" }, {});
    if ((await storage.revisions()).length > 0 && !(await pass.uninstallForDeletion())) {
      removeCondition(status, "Reconciling");
      await tools.cluster.writeStatus(release, before, status);
      return { kind: "retry" };
    }
  }
  await tools.cluster.writeFinalizers(
    release,
    finalizers.filter((each) => each !== finalizer),
  );
  return { kind: "wait" };
}
