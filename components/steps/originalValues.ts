import { record } from "../cluster/openBaoStatus";
import { OWNED_VALUES } from "../openBaoConfig/targetValues";
import { APPLYING_ANNOTATION, wantsRaft, type HelmRelease } from "./world";

/**
 * Keeps what the owned values were before the cutover. It lies on the HelmRelease itself, beside the values: whoever
 * can read the one can read the other, so a credential in a server config goes nowhere new.
 */
export const VALUES_ANNOTATION = "openbao-raft-migration/original-values";

/** Owned value that was there, by its path joined with dots; what is not listed was absent. */
export type OriginalValues = Readonly<Record<string, unknown>>;

export function hasValuesRecord(release: HelmRelease): boolean {
  return release.metadata?.annotations?.[VALUES_ANNOTATION] !== undefined;
}

/** True while the pause holds: suspended, or let to run once by this program itself. */
export function isHeld(release: HelmRelease): boolean {
  return release.spec?.suspend === true || release.metadata?.annotations?.[APPLYING_ANNOTATION] !== undefined;
}

/**
 * The annotation for the pause; nothing when the values ask for Raft already, since those are not the old ones. A record
 * of before somebody resumed the HelmRelease is made anew: what they set since then is what to go back to.
 */
export function valuesRecord(release: HelmRelease): Record<string, string> {
  if (wantsRaft(release) || (hasValuesRecord(release) && isHeld(release))) return {};
  return { [VALUES_ANNOTATION]: JSON.stringify(valuesAsRecord(release)) };
}

/** The owned values as they are now. */
export function valuesAsRecord(release: HelmRelease): OriginalValues {
  const values = release.spec?.values ?? {};
  return Object.fromEntries(
    OWNED_VALUES.flatMap((path) => {
      const value = valueOf(values, path);
      return value === undefined ? [] : [[path.join("."), value] as const];
    }),
  );
}

/** What was recorded, or undefined when nothing usable was. */
export function originalValues(release: HelmRelease): OriginalValues | undefined {
  try {
    const read: unknown = JSON.parse(release.metadata?.annotations?.[VALUES_ANNOTATION] ?? "");
    const known = new Set(OWNED_VALUES.map((path) => path.join(".")));
    const values = record(read);
    return read === values && Object.keys(values).every((key) => known.has(key)) ? values : undefined;
  } catch {
    return undefined;
  }
}

/** Pure: merge patch of `spec.values` that makes the owned values what they were; undefined when they are. */
export function restorePatch(
  values: Readonly<Record<string, unknown>>,
  original: OriginalValues,
): Record<string, unknown> | undefined {
  const wanted = structuredClone(values) as Record<string, unknown>;
  for (const path of OWNED_VALUES) put(wanted, path, original[path.join(".")]);
  return exactPatch(values, wanted);
}

/** Sets or removes a value; maps that its removal leaves empty go with it, since this program made them. */
function put(node: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    if (value === undefined) delete node[key];
    else node[key] = value;
    return;
  }
  if (value === undefined && !Object.hasOwn(node, key)) return;
  const child = { ...record(node[key]) };
  put(child, rest, value);
  if (Object.keys(child).length === 0) delete node[key];
  else node[key] = child;
}

/** A merge patch keeps what it does not name, so keys that must go are named with null. */
function exactPatch(
  now: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(now), ...Object.keys(wanted)])) {
    const [a, b] = [now[key], wanted[key]];
    if (!Object.hasOwn(wanted, key)) patch[key] = null;
    else if (isMap(a) && isMap(b)) {
      const inner = exactPatch(a, b);
      if (inner !== undefined) patch[key] = inner;
    } else if (JSON.stringify(a) !== JSON.stringify(b)) patch[key] = b;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(values: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => record(node)[key], values);
}
