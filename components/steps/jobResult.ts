import type { V1ContainerStateTerminated, V1Job, V1Pod } from "@kubernetes/client-node";
import type { KubeClient, KubeObject, WaitOptions } from "../cluster/kubeClient";
import { Refused } from "./runStep";
import { podsPath } from "./world";

/** What the Job's script wrote to its termination message. */
export interface JobResult {
  readonly exitCode: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Facts for an exit code of 20 to 29: the script refused before it changed anything. */
export function refuseOnCode(
  result: JobResult,
  texts: Readonly<Record<number, [text: string, hazard: string]>>,
): void {
  if (result.exitCode === 0) return;
  const known = texts[result.exitCode];
  const facts = JSON.stringify(result.facts);
  if (known !== undefined) throw new Refused(`${known[0]} (${facts}) [${known[1]}]`, known[1]);
  throw new Error(`the Job ended with exit code ${result.exitCode}: ${facts}`);
}

/** Of each script's check of its tools, which comes before all else. */
export const MISSING_TOOL: [text: string, hazard: string] = [
  "the server's image, with which the Job runs, lacks the tool that is named here. Nothing was changed. Let the release " +
    "use an image that has it (OpenBao's Alpine image has all of them), then run again",
  "I18",
];

/**
 * The result as soon as the script has written it and ended. Its Job says so two seconds later (seen with Kubernetes 1.34:
 * the controller counts its pods once a second), which for `carry` are two seconds of outage. A container that ended
 * without a result is left to the Job, which knows why.
 */
export async function resultOfScript(
  kube: KubeClient,
  namespace: string,
  job: KubeObject,
  wait: Pick<WaitOptions, "timeoutSeconds" | "signal">,
): Promise<JobResult> {
  const which = podsOf(job);
  const hasEnded = (pod: V1Pod | undefined) => scriptResult(pod) !== undefined;
  const what = `the script of Job ${job.metadata?.name} to end`;
  const pod = await kube.waitFor<V1Pod & KubeObject>(podsPath(namespace), which, hasEnded, { ...wait, what });
  return scriptResult(pod)!;
}

/** By the Job's own uid: the pod of an earlier Job of this name may have been left behind. */
function podsOf(job: KubeObject): { readonly labelSelector: string } {
  return { labelSelector: `controller-uid=${job.metadata?.uid}` };
}

/** How the script's own container ended: an admission webhook may have put another one before it. */
function scriptEnd(pod: V1Pod | undefined): V1ContainerStateTerminated | undefined {
  return pod?.status?.containerStatuses?.find(({ name }) => name === "step")?.state?.terminated;
}

function scriptResult(pod: V1Pod | undefined): JobResult | undefined {
  const ended = scriptEnd(pod);
  const facts = factsOf(ended?.message);
  return ended === undefined || facts === undefined ? undefined : { exitCode: ended.exitCode, facts };
}

/** The result of a Job that has ended. @throws Error when it has none, whatever its exit status */
export async function resultOf(
  kube: KubeClient,
  namespace: string,
  job: V1Job & KubeObject,
): Promise<JobResult> {
  const name = job.metadata?.name;
  const pods = await kube.list<V1Pod & KubeObject>(podsPath(namespace), podsOf(job));
  const state = pods.map(scriptEnd).find((ended) => ended !== undefined);
  if (state === undefined) {
    const why = job.status?.conditions?.map((c) => `${c.reason}: ${c.message}`).join("; ") ?? "no condition";
    throw new Error(`Job ${name} left no result (${why}); the volume is judged again at the next run`);
  }
  const facts = factsOf(state.message);
  // Exit status 0 proves nothing: a script that was cut short gives it, too (hazards, finding 1).
  if (facts === undefined && state.exitCode === 0) {
    throw new Error(
      `Job ${name} ended with exit status 0 and without the result that its script writes at its end; nothing of its work counts. Look at the Job's log, then run pulumi up again: the volume is judged anew [F16]`,
    );
  }
  return {
    exitCode: state.exitCode,
    facts: facts ?? { message: (state.message ?? "none").slice(0, 300) },
  };
}

function factsOf(message: string | undefined): Record<string, unknown> | undefined {
  try {
    const facts: unknown = JSON.parse(message ?? "");
    return typeof facts === "object" && facts !== null ? (facts as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
