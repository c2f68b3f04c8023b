import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KubeError, type KubeClient, type KubeObject } from "../components/cluster/kubeClient";
import { followPodLog, type FollowedPodLog } from "./load/followedPodLog";

const EVERY_MS = 250;
const END_SECONDS = 5;

interface Pod extends KubeObject {
  status?: { phase?: string; containerStatuses?: { state?: { waiting?: object } }[] };
}

/** Copies of the logs of all Jobs of a namespace, also of those that are removed straight after their end. */
export interface JobLogs {
  /** Names of the pods whose logs were copied. @throws what broke the copying */
  stop(): Promise<readonly string[]>;
}

/** Follows the log of each pod of a Job from its start, into `folder`, one file a pod. */
export function followJobLogs(kube: KubeClient, namespace: string, folder: string): JobLogs {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const followed = new Map<string, FollowedPodLog>();
  let over = false;
  const follow = async (): Promise<void> => {
    while (!over) {
      for (const pod of await jobPods(kube, pods)) {
        const name = pod.metadata?.name ?? "";
        // Else the ended container's log would be asked for four times a second, until the end of the run.
        if (hasEnded(pod)) followed.get(name)?.containerEnded();
        if (followed.has(name) || !hasStarted(pod)) continue;
        const path = `${pods}/${encodeURIComponent(name)}/log`;
        followed.set(
          name,
          followPodLog(kube, path, join(folder, `${name}.log`), () => false),
        );
      }
      await delay(EVERY_MS);
    }
  };
  const running = follow();
  running.catch(() => undefined);
  return {
    stop: async () => {
      over = true;
      await running;
      for (const log of followed.values()) await log.finish(END_SECONDS);
      return [...followed.keys()];
    },
  };
}

/** The API server may be away for a while: it is a fault that is rehearsed. */
async function jobPods(kube: KubeClient, pods: string): Promise<Pod[]> {
  try {
    return await kube.list<Pod>(pods, { labelSelector: "job-name" });
  } catch (error) {
    if (error instanceof KubeError) return [];
    throw error;
  }
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

function hasStarted({ status }: Pod): boolean {
  const first = status?.containerStatuses?.[0];
  return status?.phase !== "Pending" || (first !== undefined && first.state?.waiting === undefined);
}
