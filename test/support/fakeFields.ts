import { isDeepStrictEqual } from "node:util";
import type { ManagedFields } from "../../components/cluster/fieldOwners";
import type { Json } from "./fakeKubeRules";

type Tree = Record<string, unknown>;
type Path = readonly string[];

/** An entry of metadata.managedFields for these fields, each named from the object's root. */
export function managedBy(
  manager: string,
  operation: "Apply" | "Update",
  time: string,
  fields: readonly Path[],
): ManagedFields {
  const fieldsV1: Tree = {};
  for (const path of fields) put(fieldsV1, path);
  return { manager, operation, apiVersion: "v1", time, fieldsType: "FieldsV1", fieldsV1 };
}

/**
 * What the API server makes of the record at an Update: the writer owns every field whose value it changed, alone, with
 * the time of this write; a field that is removed has no owner. A record that the write itself brings is taken first.
 */
export function afterUpdate(old: Json, next: Json, manager: string): ManagedFields[] {
  const [before, after] = [leaves(old), leaves(next)];
  const changed = [...after].filter(([key, value]) => !isDeepStrictEqual(before.get(key), value));
  const touched = [...changed.map(([key]) => key), ...[...before.keys()].filter((key) => !after.has(key))];
  const record = structuredClone(next.metadata?.managedFields ?? []);
  const mine = (entry: ManagedFields) => entry.manager === manager && entry.operation === "Update";
  for (const entry of record) {
    for (const key of touched) drop(entry.fieldsV1 as Tree, JSON.parse(key) as Path);
  }
  if (changed.length > 0) {
    const time = new Date().toISOString().replace(/\.\d+/, "");
    const own = record.find(mine) ?? managedBy(manager, "Update", time, []);
    own.time = time;
    for (const [key] of changed) put(own.fieldsV1 as Tree, JSON.parse(key) as Path);
    if (!record.includes(own)) record.push(own);
  }
  return record.filter(({ fieldsV1 }) => Object.keys(fieldsV1 ?? {}).length > 0);
}

/** Every scalar and list by its path; of the metadata only what a writer sets. */
function leaves(object: Json): Map<string, unknown> {
  const { metadata, status: _status, apiVersion: _version, kind: _kind, ...rest } = object;
  const { annotations, labels } = metadata ?? {};
  const found = new Map<string, unknown>();
  const walk = (node: unknown, path: Path): void => {
    const isMap = typeof node === "object" && node !== null && !Array.isArray(node);
    if (!isMap || Object.keys(node).length === 0) return void found.set(JSON.stringify(path), node);
    for (const [key, value] of Object.entries(node)) walk(value, [...path, key]);
  };
  for (const [key, value] of Object.entries(rest)) walk(value, [key]);
  if (annotations !== undefined) walk(annotations, ["metadata", "annotations"]);
  if (labels !== undefined) walk(labels, ["metadata", "labels"]);
  return found;
}

function put(tree: Tree, path: Path): void {
  let node = tree;
  for (const key of path) node = (node[`f:${key}`] ??= {}) as Tree;
}

/** Maps that it leaves empty go with it. */
function drop(tree: Tree, path: Path): void {
  const [key, ...rest] = path;
  const name = `f:${key}`;
  if (!Object.hasOwn(tree, name)) return;
  if (rest.length > 0) drop(tree[name] as Tree, rest);
  if (rest.length === 0 || Object.keys(tree[name] as Tree).length === 0) delete tree[name];
}
