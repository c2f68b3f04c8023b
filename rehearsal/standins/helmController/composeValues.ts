import { createHash } from "node:crypto";
import { parse } from "yaml";
import type { ValuesReference } from "./helmRelease";

export type Values = Record<string, unknown>;

/** Returns the decoded data of a ConfigMap or Secret, or nothing when there is no such object. */
export type ReadData = (
  kind: ValuesReference["kind"],
  name: string,
) => Promise<Record<string, string> | undefined>;

const isMap = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Merges maps key by key; anything else in `over`, a null included, replaces what is in `under`. */
export function mergeValues(under: Values, over: Values): Values {
  const merged: Values = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? mergeValues(below, value) : value;
  }
  return merged;
}

/** Parts of a path such as `a.b[0].c`, where `\.` is a dot inside a name. */
export function pathParts(path: string): (string | number)[] {
  return path
    .split(/(?<!\\)\./)
    .flatMap((part) => [
      part.replace(/(\[\d+\])+$/, ""),
      ...[...part.matchAll(/\[(\d+)\]/g)].map(([, index]) => Number(index)),
    ])
    .map((part) => (typeof part === "string" ? part.replaceAll("\\.", ".") : part))
    .filter((part) => part !== "");
}

/** The type Helm's `--set` gives a text: quoted stays text; true, false, null and integers become what they say. */
export function typedValue(text: string): unknown {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2];
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : text;
}

/** Sets a value at a path, making the maps and lists on the way; other entries stay. */
export function setAtPath(values: Values, path: string, value: unknown): Values {
  const put = (at: unknown, [part, ...rest]: (string | number)[]): unknown => {
    if (part === undefined) return value;
    if (typeof part === "number") {
      const list: unknown[] = Array.isArray(at) ? [...(at as unknown[])] : [];
      while (list.length < part) list.push(null);
      list[part] = put(list[part], rest);
      return list;
    }
    const map = isMap(at) ? at : {};
    return { ...map, [part]: put(map[part], rest) };
  };
  return put(values, pathParts(path)) as Values;
}

/**
 * Composes the values of a HelmRelease: each reference over the one before, then `spec.values` over all.
 * @throws when a reference that is not optional, or its key, is missing or is no YAML map.
 */
export async function composeValues(
  inline: Values | undefined,
  references: ValuesReference[] | undefined,
  read: ReadData,
): Promise<Values> {
  let composed: Values = {};
  for (const reference of references ?? []) {
    const { kind, name, targetPath, optional, literal } = reference;
    const key = reference.valuesKey ?? "values.yaml";
    const data = await read(kind, name);
    const text = data?.[key];
    if (text === undefined) {
      // As Flux: only a missing object may be forgiven, a missing key is a mistake in any case.
      if (data === undefined && optional) continue;
      const found = data === undefined ? `no ${kind} "${name}"` : `no key "${key}" in ${kind} "${name}"`;
      throw new Error(`found ${found}, which spec.valuesFrom needs: create it or set optional`);
    }
    composed = targetPath
      ? setAtPath(composed, targetPath, literal ? text : typedValue(text))
      : mergeValues(composed, parseMap(text, `${kind} "${name}" key "${key}"`));
  }
  return mergeValues(composed, inline ?? {});
}

function parseMap(text: string, where: string): Values {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch {
    // The parser's message quotes the text, which may be a Secret's.
    throw new Error(`found text that is not YAML in ${where}, expected a map of values`);
  }
  if (parsed === null) return {};
  if (!isMap(parsed)) throw new Error(`found no map in ${where}, expected a map of values`);
  return parsed;
}

/** A digest that does not depend on the order of keys, as `sha256:<hex>`. */
export function valuesDigest(values: unknown): string {
  return `sha256:${createHash("sha256").update(sortedJson(values)).digest("hex")}`;
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isMap(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
