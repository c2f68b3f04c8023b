import type { V1Node, V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { KubeError, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { followerPod, plannedJobs, plannedProbes, type PlannedObject } from "../steps/plannedPods";
import { clean, notKnown, valueOr, type Observed } from "./observed";
import { podNeeds, type Needs } from "./quota";
import type { PodView } from "./readWorkload";
import type { Look } from "./snapshot";

/** What the API server says, in a dry run, of one object that a stage is going to make. */
export interface AdmissionView {
  readonly use: PlannedObject["use"];
  /** Kind and name; a generated name ends with "-". */
  readonly what: string;
  readonly answer: "admitted" | "refused" | "unknown";
  /** The API server's own words; empty when it is admitted. */
  readonly words: string;
  /** What a pod takes of quotas; absent for a Job. */
  readonly needs?: Needs;
}

interface Raw {
  readonly set: Promise<Observed<KubeObject | undefined>>;
  readonly nodes: Promise<Observed<readonly KubeObject[]>>;
  readonly pods: Promise<Observed<readonly PodView[]>>;
}

/** Looks: a webhook may take its time, and the questions for the rights are before these in the queue. */
const ADMISSION_LOOKS = 4;

/** Sends the manifests that the steps build as dry runs: they pass each admission, and nothing is stored. */
export async function readAdmission(look: Look, raw: Raw): Promise<Observed<readonly AdmissionView[]>> {
  const [set, nodes, pods] = await Promise.all([raw.set, raw.nodes, raw.pods]);
  if (!set.known) return notKnown(`the StatefulSet is not known (${set.why})`);
  if (!nodes.known) return notKnown(`the nodes are not known (${nodes.why})`);
  if (set.value === undefined) return notKnown("the StatefulSet was not found");
  const statefulSet = set.value as V1StatefulSet;
  const node = valueOr(pods, []).find((pod) => pod.ordinal === 0)?.node;
  return look.see(
    "the dry runs of pods and Jobs",
    (kube) => {
      const planned = [
        ...plannedProbes(statefulSet, nodes.value as readonly V1Node[], look.config),
        ...plannedJobs(statefulSet, look.config, node === "" ? undefined : node),
        followerPod(statefulSet, 1),
      ];
      return Promise.all(planned.map((one) => dryRun(kube, look.config.namespace, one)));
    },
    ADMISSION_LOOKS * look.timeoutMs,
  );
}

async function dryRun(kube: KubeClient, namespace: string, planned: PlannedObject): Promise<AdmissionView> {
  const { use, manifest } = planned;
  const isPod = manifest.kind === "Pod";
  const path = isPod ? `/api/v1/namespaces/${namespace}/pods` : `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const name = manifest.metadata?.name ?? manifest.metadata?.generateName ?? "";
  const base = { use, what: clean(`${manifest.kind ?? ""} ${name}`) };
  const needs = (pod: unknown) => (isPod ? { needs: podNeeds(pod) } : {});
  try {
    const made = await kube.create(path, manifest as KubeObject, { dryRun: "All" });
    return { ...base, ...needs(made), answer: "admitted", words: "" };
  } catch (error) {
    const answer = answerOf(error);
    const words = answer === "admitted" ? "" : wordsOf(error, manifest as V1Pod, path);
    return { ...base, ...needs(manifest), answer, words };
  }
}

/**
 * An object of that name comes last, after every admission: a killed run has left it. A bad request is that of a webhook
 * that takes no dry run.
 */
function answerOf(error: unknown): AdmissionView["answer"] {
  if (!(error instanceof KubeError)) return "unknown";
  if (error.reason === "AlreadyExists") return "admitted";
  const refused =
    error.status === 403 || error.status === 422 || (error.status === 400 && error.reason !== "BadRequest");
  return refused ? "refused" : "unknown";
}

/** Without the request's own path, and without a value of the pod's variables, which may be secret. */
function wordsOf(error: unknown, manifest: V1Pod, path: string): string {
  if (!(error instanceof KubeError)) return "no answer that could be read";
  const values = [...(manifest.spec?.initContainers ?? []), ...(manifest.spec?.containers ?? [])].flatMap(
    (one) => (one.env ?? []).map(({ value }) => value ?? ""),
  );
  const words = values
    .filter((value) => value.length >= 6)
    .reduce((text, value) => text.replaceAll(value, "..."), error.message.replace(`POST ${path}: `, ""));
  return clean(words, 300);
}
