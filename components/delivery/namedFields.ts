/** One field that an object of a manifest names, and that is otherwise in the cluster. It holds no value. */
export interface FieldDifference {
  /** `spec.template.spec.containers[openbao].image`. */
  readonly field: string;
  /** The names down to the field, or to the first list on the way: so far the record of owners is looked at. */
  readonly within: readonly string[];
  /** "gone": only the manifest has it. "added": an item that only the cluster has, in a list of the manifest. */
  readonly how: "gone" | "added" | "different";
}

/** Fields that an empty value leaves out of what the API server keeps: there, absent is the same. */
const LEFT_OUT_WHEN_EMPTY = new Set([
  ...["hostNetwork", "hostPID", "hostIPC", "readOnly", "stdin", "stdinOnce", "tty"],
  ...["publishNotReadyAddresses", "minReadySeconds", "initialDelaySeconds", "hostPort", "nodePort"],
]);
/** Below these stand quantities, which the API server writes anew: 1000m is 1. */
const QUANTITIES = new Set(["limits", "requests", "sizeLimit", "divisor"]);
const FACTORS: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

interface At {
  readonly field: string;
  readonly within: readonly string[];
  readonly inList: boolean;
  readonly quantity: boolean;
}

/**
 * Pure and total: where a live object differs in what the manifest's object names. What only the cluster has does not
 * count (defaults, other writers' labels), but for items in a list of the manifest, such as a container or a rule.
 */
export function namedDifferences(wanted: unknown, live: unknown): FieldDifference[] {
  return differences(wanted, live, { field: "", within: [], inList: false, quantity: false });
}

function differences(wanted: unknown, live: unknown, at: At): FieldDifference[] {
  const found = (how: FieldDifference["how"]): FieldDifference[] => [
    { field: at.field, within: at.within, how },
  ];
  if (wanted === null || wanted === undefined) return [];
  if (Array.isArray(wanted)) {
    if (live === undefined || live === null) return wanted.length === 0 ? [] : found("gone");
    return Array.isArray(live) ? listDifferences(wanted, live, at) : found("different");
  }
  if (isMap(wanted)) {
    if (live === undefined || live === null) return namesNothing(wanted) ? [] : found("gone");
    if (!isMap(live)) return found("different");
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(value, Object.hasOwn(live, key) ? live[key] : undefined, below(at, key)),
    );
  }
  if (live === undefined || live === null) return isEmpty(wanted, at) ? [] : found("gone");
  return sameScalar(wanted, live, at) ? [] : found("different");
}

/** By name where all items have one of their own, such as containers and variables; else by their places. */
function listDifferences(wanted: readonly unknown[], live: readonly unknown[], at: At): FieldDifference[] {
  const [names, there] = [namesOf(wanted), namesOf(live)];
  const byName = names !== undefined && there !== undefined;
  const keysOf = (list: readonly unknown[], own: readonly string[] | undefined): Map<string, unknown> =>
    new Map(list.map((item, n) => [byName ? own![n]! : String(n), item]));
  const [left, right] = [keysOf(wanted, names), keysOf(live, there)];
  const itemAt = (key: string): At => ({ ...at, field: `${at.field}[${key}]`, inList: true });
  const added = [...right.keys()].filter((key) => !left.has(key));
  return [
    ...[...left].flatMap(([key, item]): FieldDifference[] =>
      right.has(key)
        ? differences(item, right.get(key), itemAt(key))
        : [{ field: itemAt(key).field, within: at.within, how: "gone" }],
    ),
    ...added.map((key): FieldDifference => ({
      field: itemAt(key).field,
      within: at.within,
      how: "added",
    })),
  ];
}

function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.map((item) => (isMap(item) ? item["name"] : undefined));
  if (!names.every((name) => typeof name === "string")) return undefined;
  return new Set(names).size === names.length ? names : undefined;
}

function below(at: At, key: string): At {
  const plain = /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return {
    field: at.field === "" ? key : `${at.field}${plain}`,
    within: at.inList ? at.within : [...at.within, key],
    inList: at.inList,
    quantity: at.quantity || QUANTITIES.has(key),
  };
}

function namesNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.values(value).every(namesNothing);
}

function isEmpty(value: unknown, at: At): boolean {
  const key = /([\w-]+)$/.exec(at.field)?.[1] ?? "";
  return value === "" || ((value === false || value === 0) && LEFT_OUT_WHEN_EMPTY.has(key));
}

function sameScalar(wanted: unknown, live: unknown, at: At): boolean {
  if (wanted === live) return true;
  // An empty address asks for one.
  if (wanted === "" && at.field.endsWith("clusterIP")) return true;
  if (!at.quantity) return false;
  const [a, b] = [amount(wanted), amount(live)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}

function amount(value: unknown): number | undefined {
  const [, number, unit] = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(value)) ?? [];
  const factor = FACTORS[unit ?? "?"];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
