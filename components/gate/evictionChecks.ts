import { reaches } from "../../config";
import { faults, notApplicable, pass, seen, seenObject, shortList, type Check } from "./check";
import { isDone, observedStage } from "./progress";
import type { NodeView, StatefulSetView } from "./readWorkload";

/** Annotations of a pod that ask evictors for it, with the value that does; undefined: any. */
const INVITING: Readonly<Record<string, string | undefined>> = {
  "descheduler.alpha.kubernetes.io/evict": undefined,
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
};

/** Taints of a node that is about to go. */
const LEAVING: readonly string[] = [
  "ToBeDeletedByClusterAutoscaler",
  "DeletionCandidateOfClusterAutoscaler",
  "karpenter.sh/disrupted",
  "karpenter.sh/disruption",
];

/** Who may take a pod away, or add one, in mid-cutover. */
export const evictionChecks: readonly Check[] = [
  {
    id: "autoscalers",
    // From cutover on, and still while followers join: not done with the cutover.
    stage: "every",
    hazard: {
      ids: ["I41", "F40", "F51"],
      loss: "a pod is evicted between two steps, or a second one starts on an empty store",
    },
    severity: "block",
    waivable: true,
    observe:
      "VerticalPodAutoscalers, HorizontalPodAutoscalers and KEDA's ScaledObjects of the namespace that target the StatefulSet",
    judge: (snapshot, { stage }) => {
      const expected = "from stage cutover on, none that acts by itself";
      if (isDone(observedStage(snapshot), "verify")) return notApplicable("the move is verified");
      return seen(snapshot.autoscalers, expected, (all) => {
        const acting = all.filter((one) => one.does !== undefined);
        const found = acting.map(({ name, does }) => `${name} (${does ?? ""})`);
        if (found.length > 0 && !reaches(stage, "cutover"))
          return pass(`stage cutover will refuse ${shortList(found)}`, expected);
        return faults(found, all.length === 0 ? "none" : "only recommending ones", expected);
      });
    },
    remedy:
      'kubectl patch vpa NAME -n NAMESPACE --type merge -p \'{"spec":{"updatePolicy":{"updateMode":"Off"}}}\' (in Git, where it comes from there); delete a HorizontalPodAutoscaler or ScaledObject of the StatefulSet',
    source: "hazards.md I41; kubernetes/autoscaler vertical-pod-autoscaler, update modes",
  },
  {
    id: "evictable-pods",
    stage: "cutover",
    hazard: {
      ids: ["I41", "F40"],
      loss: "the pod, or the Job beside it, is evicted in mid-cutover and starts over",
    },
    severity: "warn",
    waivable: true,
    observe:
      "annotations of the pod template that invite evictors, and taints, cordons and Karpenter's label on the servers' nodes",
    judge: ({ statefulSet, nodes, pods }) => {
      const expected = "nothing that marks the pods or their nodes for eviction";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        seen(nodes, expected, (all) =>
          seen(pods, expected, (servers) => {
            const used = all.filter((node) => servers.some((pod) => pod.node === node.name));
            return faults(
              [...invitations(set), ...used.flatMap((node) => departures(node, set))],
              "none",
              expected,
            );
          }),
        ),
      );
    },
    remedy:
      'server.annotations: cluster-autoscaler.kubernetes.io/safe-to-evict: "false" and karpenter.sh/do-not-disrupt: "true" for the window; kubectl uncordon NODE; suspend the descheduler',
    source: "hazards.md I41; kubernetes-sigs/descheduler and karpenter.sh, annotations",
  },
];

function invitations({ evictionMarks }: StatefulSetView): string[] {
  return Object.entries(INVITING)
    .filter(([key, value]) => {
      const mark = evictionMarks[key];
      return mark !== undefined && (value === undefined || mark === value);
    })
    .map(([key]) => `annotation ${key}`);
}

function departures(
  { name, labels, taints, unschedulable }: NodeView,
  { evictionMarks }: StatefulSetView,
): string[] {
  const going = taints.filter((taint) => LEAVING.includes(taint.key)).map((taint) => taint.key);
  const karpenter =
    Object.hasOwn(labels, "karpenter.sh/nodepool") && evictionMarks["karpenter.sh/do-not-disrupt"] !== "true";
  return [
    ...going.map((key) => `node ${name} is about to go (taint ${key})`),
    ...(unschedulable ? [`node ${name} is cordoned`] : []),
    ...(karpenter
      ? [`node ${name} is Karpenter's, and the pods do not ask for karpenter.sh/do-not-disrupt`]
      : []),
  ];
}
