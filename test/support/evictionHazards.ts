import type { PlantedHazard } from "./plantedHazards";
import { STATEFUL_SET, type World } from "./snapshotBuilder";

export const VPAS = "/apis/autoscaling.k8s.io/v1/namespaces/openbao/verticalpodautoscalers";
const HPAS = "/apis/autoscaling/v2/namespaces/openbao/horizontalpodautoscalers";
const SCALED = "/apis/keda.sh/v1alpha1/namespaces/openbao/scaledobjects";
const NODE = "/api/v1/nodes/node-0";
const target = { apiVersion: "apps/v1", kind: "StatefulSet", name: "openbao" };

/** A VerticalPodAutoscaler of the StatefulSet, in `updateMode`. */
export function vpa(updateMode?: string, targetRef: object = target): Record<string, unknown> {
  return { spec: { targetRef, ...(updateMode !== undefined && { updatePolicy: { updateMode } }) } };
}

function annotated(world: World, annotations: Record<string, string>): World {
  return world.patch(STATEFUL_SET, { spec: { template: { metadata: { annotations } } } });
}

/** Who may evict or add a pod of the server in mid-cutover. */
export const evictionHazards: readonly PlantedHazard[] = [
  ...["Auto", "Recreate", "InPlaceOrRecreate", undefined].map((mode) => ({
    check: "autoscalers",
    title: `a VerticalPodAutoscaler with updateMode ${mode ?? "of its default"} (I41)`,
    plant: ({ kube }: World) => kube.put(`${VPAS}/bao`, vpa(mode)),
    found: new RegExp(
      `^VerticalPodAutoscaler bao \\(updateMode ${mode ?? "Auto"}: it may evict the pods\\)$`,
    ),
  })),
  {
    check: "autoscalers",
    title: "a HorizontalPodAutoscaler of the StatefulSet (F51)",
    plant: ({ kube }) => kube.put(`${HPAS}/bao`, { spec: { scaleTargetRef: target, minReplicas: 2 } }),
    found: /^HorizontalPodAutoscaler bao \(it sets the replica count\)$/,
  },
  {
    check: "autoscalers",
    title: "a ScaledObject of the StatefulSet (F51)",
    plant: ({ kube }) => kube.put(`${SCALED}/bao`, { spec: { scaleTargetRef: target } }),
    found: /^ScaledObject bao/,
  },
  {
    check: "evictable-pods",
    title: "an annotation for the descheduler (I41)",
    plant: (world) => annotated(world, { "descheduler.alpha.kubernetes.io/evict": "" }),
    found: /^annotation descheduler\.alpha\.kubernetes\.io\/evict$/,
  },
  {
    check: "evictable-pods",
    title: "an annotation for the cluster autoscaler (I41)",
    plant: (world) => annotated(world, { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" }),
    found: /safe-to-evict$/,
  },
  {
    check: "evictable-pods",
    title: "a server's node that is about to go (I41)",
    plant: (world) =>
      world.patch(NODE, {
        spec: { taints: [{ key: "DeletionCandidateOfClusterAutoscaler", effect: "PreferNoSchedule" }] },
      }),
    found: /^node node-0 is about to go \(taint DeletionCandidateOfClusterAutoscaler\)$/,
  },
  {
    check: "evictable-pods",
    title: "a server's node of Karpenter (I41)",
    plant: (world) => world.patch(NODE, { metadata: { labels: { "karpenter.sh/nodepool": "default" } } }),
    found: /^node node-0 is Karpenter's/,
  },
];
