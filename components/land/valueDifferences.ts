import { isDeepStrictEqual } from "node:util";

/** One place at which two sets of values differ. It holds no value: values can be secrets. */
export interface ValueDifference {
  readonly path: readonly string[];
  readonly kind: "missing" | "extra" | "different";
}

/**
 * Deep comparison of rendered with live values: "missing" is live only, "extra" is rendered only.
 * @param only prefixes to which the comparison is limited (OWNED_VALUES). @default everything
 */
export function valueDifferences(
  rendered: unknown,
  live: unknown,
  only?: readonly (readonly string[])[],
): ValueDifference[] {
  const all = differences(rendered, live, []);
  if (only === undefined) return all;
  const within = (prefix: readonly string[], path: readonly string[]): boolean =>
    prefix.slice(0, path.length).every((key, at) => key === path[at]);
  return all.filter(({ path }) => only.some((prefix) => within(prefix, path)));
}

/** One line for a report: `server.ha.replicas (different)`. */
export function differenceLine({ path, kind }: ValueDifference): string {
  return `${path.join(".") || "(all)"} (${kind})`;
}

function differences(rendered: unknown, live: unknown, path: readonly string[]): ValueDifference[] {
  if (rendered === undefined && live === undefined) return [];
  if (live === undefined) return [{ path, kind: "extra" }];
  if (rendered === undefined) return [{ path, kind: "missing" }];
  if (!isRecord(rendered) || !isRecord(live)) {
    return isDeepStrictEqual(rendered, live) ? [] : [{ path, kind: "different" }];
  }
  const keys = [...new Set([...Object.keys(rendered), ...Object.keys(live)])];
  const own = (node: Record<string, unknown>, key: string): unknown =>
    Object.hasOwn(node, key) ? node[key] : undefined;
  return keys.flatMap((key) => differences(own(rendered, key), own(live, key), [...path, key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
