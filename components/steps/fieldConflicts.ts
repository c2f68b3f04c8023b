import { isDeepStrictEqual } from "node:util";
import {
  isOurs,
  managersOf,
  ownerIn,
  ownersOf,
  ownerWords,
  type FieldOwner,
  type FieldPath,
} from "../cluster/fieldOwners";
import type { KubeObject } from "../cluster/kubeClient";
import { record } from "../cluster/openBaoStatus";
import { OWNED_VALUES } from "../openBaoConfig/targetValues";
import { isHeld, originalValues } from "./originalValues";
import { wantsRaft, type HelmRelease } from "./world";

/** Keeps who owned each written field when the pause began, with the time of that owner's last write. */
export const OWNERS_ANNOTATION = "openbao-raft-migration/field-owners";

const VALUES: FieldPath = ["spec", "values"];

/** The fields of the HelmRelease that this program writes, its own annotations apart. */
export const WRITTEN_FIELDS: readonly FieldPath[] = [
  ...OWNED_VALUES.map((path) => [...VALUES, ...path]),
  ["spec", "suspend"],
  ["spec", "upgrade", "disableWait"],
  ["spec", "upgrade", "remediation", "retries"],
  ["spec", "upgrade", "remediation", "remediateLastFailure"],
];

/** They write when a person calls them, and not by themselves. */
const BY_HAND = /^(kubectl(-.+)?|flux|before-first-apply)$/;
/** Suspended with the HelmRelease itself. */
const HELM_CONTROLLER = "helm-controller";
const KUSTOMIZE_CONTROLLER = "kustomize-controller";

/** A field that this program writes, and an owner of it that is not expected. */
export interface FieldConflict {
  readonly field: string;
  readonly owner: FieldOwner;
}

/** The annotation for the pause; nothing where the record of an earlier run of it still counts. */
export function ownersRecord(release: HelmRelease): Record<string, string> {
  const kept = release.metadata?.annotations?.[OWNERS_ANNOTATION] !== undefined;
  return kept && (isHeld(release) || wantsRaft(release)) ? {} : ownersNow(release);
}

/** The annotation, of the owners as they are in this object. */
export function ownersNow(release: HelmRelease): Record<string, string> {
  const owners = WRITTEN_FIELDS.map(
    (path) => [path.join("."), foreignOwners(release, path).map(ownerWords)] as const,
  );
  return {
    [OWNERS_ANNOTATION]: JSON.stringify(Object.fromEntries(owners.filter(([, all]) => all.length > 0))),
  };
}

/**
 * Pure and total: owners of written fields that are not expected. While the pause holds, those are all but this program
 * itself and the owners that the pause recorded, each as of its last write then. Before it, and without a record, all but
 * the Kustomization's controller, Flux's helm-controller and tools that a person calls.
 * @param applied true when a Kustomization that the pause suspends applies the HelmRelease
 */
export function fieldConflicts(release: HelmRelease, applied: boolean): FieldConflict[] {
  const recorded = isHeld(release) ? recordedOwners(release) : undefined;
  return WRITTEN_FIELDS.flatMap((path) => {
    const field = path.join(".");
    const expected = (owner: FieldOwner): boolean => {
      if (recorded === undefined) return isPausedWithUs(owner, applied);
      const then = recorded[field] ?? [];
      return then.includes(ownerWords(owner)) || isAsRecorded(release, path, owner, then);
    };
    return foreignOwners(release, path)
      .filter((owner) => !expected(owner))
      .map((owner) => ({ field, owner }));
  });
}

export function conflictWords({ field, owner }: FieldConflict): string {
  return `${field} by ${ownerWords(owner)}`;
}

/** Pure and total: the expected owners from whom the written values are, or were, taken: field by owner's name. */
export function takenFrom(release: HelmRelease): ReadonlyMap<string, readonly string[]> {
  const recorded = isHeld(release) ? recordedOwners(release) : undefined;
  const found = new Map<string, string[]>();
  for (const path of OWNED_VALUES) {
    const field = [...VALUES, ...path];
    const names =
      recorded?.[field.join(".")]?.map((words) => words.replace(/ \(.*$/, "")) ??
      foreignOwners(release, field).map(({ manager }) => manager);
    for (const name of new Set(names)) found.set(name, [...(found.get(name) ?? []), path.join(".")]);
  }
  return found;
}

/**
 * Pure and total: who set `spec.suspend`, in words; undefined when the API server's record does not tell. A field that
 * is removed has no owner: there the newest other writer is named as such.
 */
export function whoResumed(object: KubeObject): string | undefined {
  const [owner] = foreignOwners(object, ["spec", "suspend"]);
  if (owner !== undefined) return ownerWords(owner);
  const others = managersOf(object)
    .map(ownerIn)
    .filter((one) => !isOurs(one) && one.manager !== HELM_CONTROLLER);
  const newest = others.sort((a, b) => (a.time < b.time ? 1 : -1))[0];
  return newest === undefined ? undefined : `the field is gone; last other writer ${ownerWords(newest)}`;
}

function foreignOwners(object: unknown, path: FieldPath): FieldOwner[] {
  return ownersOf(object, path).filter((owner) => !isOurs(owner));
}

function isPausedWithUs({ manager }: FieldOwner, applied: boolean): boolean {
  if (manager === KUSTOMIZE_CONTROLLER) return applied;
  return manager === HELM_CONTROLLER || BY_HAND.test(manager);
}

/**
 * A recorded owner may write other fields of its own, which moves the time of its entry: before the layer is there, a
 * value that is still as recorded was not written.
 */
function isAsRecorded(
  release: HelmRelease,
  path: FieldPath,
  owner: FieldOwner,
  recorded: readonly string[],
): boolean {
  const value = path.slice(VALUES.length);
  const original = originalValues(release);
  if (original === undefined || !OWNED_VALUES.some((owned) => owned.join() === value.join())) return false;
  if (OWNED_VALUES.some((owned) => ownersOf(release, [...VALUES, ...owned]).some(isOurs))) return false;
  const now = path.reduce<unknown>((node, key) => record(node)[key], release);
  const same = recorded.some((words) => words.startsWith(`${owner.manager} (${owner.operation},`));
  return same && isDeepStrictEqual(now, original[value.join(".")]);
}

function recordedOwners(release: HelmRelease): Readonly<Record<string, readonly string[]>> | undefined {
  try {
    const read: unknown = JSON.parse(release.metadata?.annotations?.[OWNERS_ANNOTATION] ?? "");
    const owners = record(read);
    const isRecord = Object.values(owners).every(
      (all) => Array.isArray(all) && all.every((one) => typeof one === "string"),
    );
    return owners === read && isRecord ? (owners as Record<string, string[]>) : undefined;
  } catch {
    return undefined;
  }
}
