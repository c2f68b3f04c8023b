import type { V1LabelSelector, V1LabelSelectorRequirement } from "@kubernetes/client-node";

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy a label selector; an empty or absent selector matches everything. */
export function selectorMatches(selector: V1LabelSelector | undefined, labels: Labels = {}): boolean {
  const equal = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector?.matchExpressions ?? []).every((requirement) => requirementMatches(requirement, labels))
  );
}

function requirementMatches(requirement: V1LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[requirement.key];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      // The API server admits only the four above. Matching nothing keeps an unknown one on the closed side.
      return false;
  }
}
