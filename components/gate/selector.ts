import { labelsAt, listAt, textAt, textsAt } from "./fields";

/** A label selector with matchLabels and matchExpressions; an empty one takes every pod, an absent one none. */
export function selectorTakes(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  if (typeof selector !== "object" || selector === null) return false;
  const pairs = labelsAt(selector, "matchLabels");
  const value = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(pairs).every(([key, wanted]) => value(key) === wanted) &&
    listAt(selector, "matchExpressions").every((one) => {
      const has = value(textAt(one, "key") ?? "");
      const among = textsAt(one, "values");
      switch (textAt(one, "operator")) {
        case "In":
          return has !== undefined && among.includes(has);
        case "NotIn":
          return has === undefined || !among.includes(has);
        case "Exists":
          return has !== undefined;
        case "DoesNotExist":
          return has === undefined;
        default:
          return false;
      }
    })
  );
}
