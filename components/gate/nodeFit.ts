import type { NodeTerm, NodeView, StatefulSetView, TaintView, TolerationView } from "./readWorkload";
import { matches } from "./fields";

/** The nodes on which a pod of the StatefulSet could be placed: ready, open, tolerated and selected. Room is not judged. */
export function fittingNodes(set: StatefulSetView, nodes: readonly NodeView[]): readonly NodeView[] {
  return nodes.filter(
    (node) =>
      node.ready &&
      !node.unschedulable &&
      matches(set.nodeSelector, node.labels) &&
      (set.nodeTerms.length === 0 || set.nodeTerms.some((term) => term.every((one) => holds(one, node)))) &&
      node.taints.every((taint) => isSoft(taint) || set.tolerations.some((one) => tolerates(one, taint))),
  );
}

/** How many places a topology key makes of `nodes`, and which nodes lack its label. */
export function placesOf(key: string, nodes: readonly NodeView[]) {
  const labelOf = (node: NodeView) => {
    if (key === "kubernetes.io/hostname") return node.hostname;
    return Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
  };
  return {
    key,
    places: new Set(nodes.map(labelOf).filter((value) => value !== undefined)).size,
    unlabelled: nodes.filter((node) => labelOf(node) === undefined).map((node) => node.name),
  };
}

function isSoft(taint: TaintView): boolean {
  return taint.effect === "PreferNoSchedule";
}

function tolerates(toleration: TolerationView, taint: TaintView): boolean {
  if (toleration.effect !== undefined && toleration.effect !== "" && toleration.effect !== taint.effect) {
    return false;
  }
  if (toleration.operator === "Exists") {
    return toleration.key === undefined || toleration.key === "" || toleration.key === taint.key;
  }
  return toleration.key === taint.key && (toleration.value ?? "") === taint.value;
}

function holds(term: NodeTerm, node: NodeView): boolean {
  const value = Object.hasOwn(node.labels, term.key) ? node.labels[term.key] : undefined;
  switch (term.operator) {
    case "In":
      return value !== undefined && term.values.includes(value);
    case "NotIn":
      return value === undefined || !term.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(term.values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(term.values[0]);
    default:
      return false;
  }
}
