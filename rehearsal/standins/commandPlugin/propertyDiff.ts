import { isDeepStrictEqual } from "node:util";
import { isObject, isSecret, type WireObject, type WireValue } from "./wireValues";

/** One changed property: its path as the engine writes it, and how it changed. */
export interface PropertyChange {
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Only `triggers` replaces; every other change updates. */
  readonly replaces: boolean;
}

/** Compares old and new inputs and names every changed leaf. Engine-internal properties do not count. */
export function inputChanges(olds: WireObject, news: WireObject): PropertyChange[] {
  const changes = walk("", comparable(olds), comparable(news));
  return changes.map((change) => ({ ...change, replaces: /^triggers(\[|$)/.test(change.path) }));
}

function walk(
  path: string,
  old: WireValue | undefined,
  now: WireValue | undefined,
): Omit<PropertyChange, "replaces">[] {
  if (isDeepStrictEqual(old, now)) return [];
  if (old === undefined) return [{ path, kind: "add" }];
  if (now === undefined) return [{ path, kind: "delete" }];
  if (isSecret(old) && isSecret(now)) return walk(path, content(old), content(now));
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    const indexes = Array.from({ length }, (_, index) => index);
    return indexes.flatMap((index) =>
      walk(`${path}[${index}]`, old[index] as WireValue, now[index] as WireValue),
    );
  }
  if (isObject(old) && isObject(now) && !isSecret(old) && !isSecret(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
    return keys.flatMap((key) => walk(`${path}${step(key, path === "")}`, old[key], now[key]));
  }
  return [{ path, kind: "update" }];
}

function comparable(properties: WireObject): WireObject {
  const kept = Object.entries(properties).filter(
    ([key, value]) => value !== null && key !== "version" && !key.startsWith("__"),
  );
  return Object.fromEntries(kept);
}

function content(secret: WireValue): WireValue | undefined {
  return (secret as WireObject)["value"];
}

function step(key: string, first: boolean): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `[${JSON.stringify(key)}]`;
  return first ? key : `.${key}`;
}
