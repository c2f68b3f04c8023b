/** Names under which this program writes: its own calls, and the two values layers that Pulumi applies for it. */
export const OUR_MANAGERS = {
  calls: "openbao-raft-migration",
  values: "openbao-raft-migration-values",
  replicas: "openbao-raft-migration-replicas",
} as const;

/** One entry of `metadata.managedFields`, as far as this program reads it. */
export interface ManagedFields {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string | Date;
  fieldsType?: string;
  fieldsV1?: object;
  subresource?: string;
}

/** Names from the object's root, such as spec, values, server. */
export type FieldPath = readonly string[];

/** Who owns one field by the API server's own record. */
export interface FieldOwner {
  readonly manager: string;
  /** "Apply" by server-side apply, "Update" by any other write. */
  readonly operation: string;
  /** RFC 3339, by the API server's clock: the manager's last write of any field in its entry; empty when unknown. */
  readonly time: string;
}

const MAX_ENTRIES = 200;

/** Pure and total: the entries of an object that are not of a subresource. */
export function managersOf(object: unknown): readonly ManagedFields[] {
  const list = mapOf(mapOf(object)["metadata"])["managedFields"];
  if (!Array.isArray(list)) return [];
  return list
    .slice(0, MAX_ENTRIES)
    .map((one) => mapOf(one) as ManagedFields)
    .filter(({ subresource }) => subresource === undefined || subresource === "");
}

/** Pure and total: who owns a field, a part of it, or a map as a whole that it lies in. */
export function ownersOf(object: unknown, path: FieldPath): FieldOwner[] {
  return managersOf(object)
    .filter(({ fieldsV1 }) => holds(fieldsV1, path))
    .map(ownerIn);
}

export function isOurs({ manager }: Pick<FieldOwner, "manager">): boolean {
  return (Object.values(OUR_MANAGERS) as string[]).includes(manager);
}

/** `kubectl-edit (Update, 2026-11-24T09:00:00Z)`. */
export function ownerWords({ manager, operation, time }: FieldOwner): string {
  return `${manager} (${operation}, ${time === "" ? "at an unknown time" : time})`;
}

export function ownerIn(entry: ManagedFields): FieldOwner {
  const { manager, operation, time } = entry;
  return {
    manager: typeof manager === "string" ? manager.slice(0, 200) : "?",
    operation: typeof operation === "string" ? operation.slice(0, 20) : "?",
    time: time instanceof Date ? time.toISOString() : typeof time === "string" ? time.slice(0, 40) : "",
  };
}

function holds(fields: unknown, path: FieldPath): boolean {
  let node = mapOf(fields);
  for (const [depth, key] of path.entries()) {
    const name = `f:${key}`;
    if (!Object.hasOwn(node, name)) return depth > 0 && Object.keys(node).length === 0;
    node = mapOf(node[name]);
  }
  return true;
}

function mapOf(value: unknown): Record<string, unknown> {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMap ? (value as Record<string, unknown>) : {};
}
