import type { V1Pod } from "@kubernetes/client-node";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { podsPath } from "../../components/steps/world";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";

/** A pod starts, and its hook unseals it. */
const READY_SECONDS = 120;

/** Waits until the server's pod is Ready. @throws Error that names `what`, after 2 minutes */
export async function untilReady(kube: KubeClient, pod: string, what: string): Promise<void> {
  await kube.waitFor<V1Pod & KubeObject>(podsPath(SOURCE_NAMESPACE), pod, isReady, {
    what,
    timeoutSeconds: READY_SECONDS,
  });
}

function isReady(pod: (V1Pod & KubeObject) | undefined): boolean {
  if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return false;
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
