import type { KubeObject } from "../../components/cluster/kubeClient";

export type Json = KubeObject & Record<string, unknown>;

const BUILT_IN = /^\/api\/v1\/|^\/apis\/([a-z]+|[a-z.]*\.k8s\.io)\//;

/** True when `path` ends in a plural: /api/v1/nodes, /apis/G/V/R, .../namespaces/N/R. `builtIn` asks for kinds that are always there. */
export function isCollection(path: string, builtIn = false): boolean {
  if (builtIn && !BUILT_IN.test(path)) return false;
  return (
    /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)(?:\/namespaces\/[^/]+)?\/[^/]+$/.test(path) &&
    !/\/namespaces\/[^/]+$/.test(path)
  );
}

/** The labelSelector and fieldSelector of a list request: `k=v`, `k==v`, `k!=v`, `k`, `!k`, `k in (a,b)`. */
export function selects(object: Json, query: Record<string, string>): boolean {
  const labels = object.metadata?.labels ?? {};
  const byLabel = (query.labelSelector ?? "").split(/,(?![^(]*\))/).filter((term) => term !== "");
  const byField = (query.fieldSelector ?? "").split(",").filter((term) => term !== "");
  return (
    byLabel.every((term) => holds(term, (key) => labels[key])) &&
    byField.every((term) => holds(term, (key) => fieldAt(object, key)))
  );
}

function holds(term: string, value: (key: string) => string | undefined): boolean {
  const list = /^\s*([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(term);
  if (list !== null) {
    const among = list[3]!.split(",").map((one) => one.trim());
    return among.includes(value(list[1]!) ?? "\0") === (list[2] === "in");
  }
  const pair = /^\s*([^!=]+?)\s*(!=|==?)\s*(.*?)\s*$/.exec(term);
  if (pair !== null) return (value(pair[1]!) === pair[3]!) === (pair[2] !== "!=");
  const key = term.trim();
  return key.startsWith("!") ? value(key.slice(1)) === undefined : value(key) !== undefined;
}

function fieldAt(object: Json, path: string): string | undefined {
  const value = path
    .split(".")
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], object);
  return value === undefined ? undefined : String(value);
}

/** The copy that a request makes of JSON; `structuredClone`, which takes anything, costs ten times as much. */
export function copied<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied) as T;
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one as unknown)])) as T;
}

const collections = new Map<string, readonly string[]>();

/** The lists that hold the object: /api/v1/pods and /api/v1/namespaces/x/pods have /api/v1/namespaces/x/pods/y. */
export function collectionsOf(at: string): readonly string[] {
  const known = collections.get(at);
  if (known !== undefined) return known;
  const own = at.slice(0, at.lastIndexOf("/"));
  const found = /^(.*)\/namespaces\/[^/]+\/([^/]+)$/.exec(own);
  const all = found === null ? [own] : [own, `${found[1]}/${found[2]}`];
  collections.set(at, all);
  return all;
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return copied(patch);
  const base = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  const result = base as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
