/** Reads of foreign JSON that never throw: a field of another type than expected counts as absent. */

const MAX_ITEMS = 5000;
const MAX_TEXT = 1000;

type Path = readonly (string | number)[];

export function at(value: unknown, ...path: Path): unknown {
  let node = value;
  for (const part of path) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, part)) return undefined;
    node = (node as Record<string | number, unknown>)[part];
  }
  return node;
}

/** A string of at most 1000 characters; a longer one is cut. */
export function textAt(value: unknown, ...path: Path): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found.slice(0, MAX_TEXT) : undefined;
}

export function numberAt(value: unknown, ...path: Path): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

export function booleanAt(value: unknown, ...path: Path): boolean | undefined {
  const found = at(value, ...path);
  return typeof found === "boolean" ? found : undefined;
}

/** At most 5000 items; empty when it is no list. */
export function listAt(value: unknown, ...path: Path): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.slice(0, MAX_ITEMS) : [];
}

export function textsAt(value: unknown, ...path: Path): readonly string[] {
  return listAt(value, ...path).filter((item): item is string => typeof item === "string");
}

/** The string members of an object, such as labels; cut like any text. */
export function labelsAt(value: unknown, ...path: Path): Readonly<Record<string, string>> {
  const found = at(value, ...path);
  if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
  const pairs = Object.entries(found).slice(0, MAX_ITEMS);
  const texts = pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return Object.fromEntries(texts.map(([key, text]) => [key.slice(0, MAX_TEXT), text.slice(0, MAX_TEXT)]));
}

/** True when `labels` holds every pair of `selector`. */
export function matches(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}

export function nameOf(object: unknown): string {
  return textAt(object, "metadata", "name") ?? "";
}

/** Milliseconds since 1970 of an RFC 3339 time; undefined when it is none. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
