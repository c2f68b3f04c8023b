import type { JsonObject } from "./inventoryReader";

/** A copy of `data` without the named fields. */
export function without(data: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([field]) => !fields.includes(field)));
}

/**
 * What stays the same over a restart: empty lists and objects become null when a server loads them again (seen with
 * identity groups), and lists of ids are sets. Only for settings; the data of a secret is compared to the letter.
 */
export function settled(data: JsonObject, drop: readonly string[] = []): JsonObject {
  const kept = Object.entries(without(data, drop)).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept.map(([field, value]) => [field, sorted(value)]));
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? [...value].sort() : value;
}
