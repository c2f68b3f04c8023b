import { at, labelsAt, listAt, nameOf, textAt, textsAt } from "./fields";
import { bytesOf } from "./readStorage";

interface ScopeView {
  readonly name: string;
  /** Absent for a plain scope, which means Exists. */
  readonly operator: string;
  readonly values: readonly string[];
}

/** A ResourceQuota. */
export interface QuotaView {
  readonly name: string;
  /** Keys of which nothing is left. */
  readonly full: readonly string[];
  /** What is left of each key. */
  readonly left: Readonly<Record<string, number>>;
  readonly scopes: readonly ScopeView[];
}

export function quotaView(object: unknown): QuotaView {
  const hard = labelsAt(object, "status", "hard");
  const used = labelsAt(object, "status", "used");
  const keys = Object.keys(hard);
  return {
    name: nameOf(object),
    full: keys.filter((key) => hard[key] !== "0" && isUsedUp(hard[key]!, used[key] ?? "")),
    left: Object.fromEntries(
      keys.flatMap((key) => {
        const [most, now] = [bytesOf(hard[key]!), bytesOf(used[key] ?? "0")];
        return most === undefined || now === undefined ? [] : [[key, most - now] as const];
      }),
    ),
    scopes: [
      ...textsAt(object, "spec", "scopes").map((name) => ({ name, operator: "Exists", values: [] })),
      ...listAt(object, "spec", "scopeSelector", "matchExpressions").map((one) => ({
        name: textAt(one, "scopeName") ?? "",
        operator: textAt(one, "operator") ?? "Exists",
        values: textsAt(one, "values"),
      })),
    ],
  };
}

/** Quantities, not texts: 4Gi is 4096Mi, and a quota that was lowered later is used beyond its bound. */
function isUsedUp(hard: string, used: string): boolean {
  const [most, now] = [bytesOf(hard), bytesOf(used)];
  return most === undefined || now === undefined ? hard === used : now >= most;
}

/** What an object takes of a quota, by the quota's keys, and what scopes ask of a pod. */
export interface Needs {
  readonly amounts: Readonly<Record<string, number>>;
  /** Absent for what is no pod: a quota with scopes counts pods alone. */
  readonly pod?: { readonly bestEffort: boolean; readonly bounded: boolean; readonly priorityClass: string };
}

/** Of a pod, best of one that the API server has filled in: LimitRanges give requests that the manifest lacks. */
export function podNeeds(pod: unknown): Needs {
  const spec = at(pod, "spec");
  const inits = listAt(spec, "initContainers");
  const lasting = inits.filter((one) => textAt(one, "restartPolicy") === "Always");
  const running = [...listAt(spec, "containers"), ...lasting];
  const amounts: Record<string, number> = { pods: 1, "count/pods": 1 };
  for (const kind of ["requests", "limits"] as const) {
    const sums = sumOf(running.map((one) => labelsAt(one, "resources", kind)));
    for (const one of inits) {
      for (const [key, text] of Object.entries(labelsAt(one, "resources", kind)))
        sums.set(key, Math.max(sums.get(key) ?? 0, bytesOf(text) ?? 0));
    }
    for (const [key, amount] of sums) {
      amounts[`${kind}.${key}`] = amount;
      // The short key of a quota means requests.
      if (kind === "requests") amounts[key] = amount;
    }
  }
  return {
    amounts,
    pod: {
      bestEffort: [...inits, ...running].every(
        (one) =>
          Object.keys({ ...labelsAt(one, "resources", "requests"), ...labelsAt(one, "resources", "limits") })
            .length === 0,
      ),
      bounded: at(spec, "activeDeadlineSeconds") !== undefined,
      priorityClass: textAt(spec, "priorityClassName") ?? "",
    },
  };
}

function sumOf(all: readonly Readonly<Record<string, string>>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, text] of all.flatMap((one) => Object.entries(one)))
    sums.set(key, (sums.get(key) ?? 0) + (bytesOf(text) ?? 0));
  return sums;
}

/** Of a claim that is to be made. */
export function claimNeeds(size: string, storageClass: string): Needs {
  const storage = bytesOf(size) ?? 0;
  const own = `${storageClass}.storageclass.storage.k8s.io`;
  return {
    amounts: {
      persistentvolumeclaims: 1,
      "count/persistentvolumeclaims": 1,
      "requests.storage": storage,
      ...(storageClass !== "" && {
        [`${own}/persistentvolumeclaims`]: 1,
        [`${own}/requests.storage`]: storage,
      }),
    },
  };
}

/** Where the quotas lack room for all of `needs` together, each as "NAME: KEY, 1 left, 2 needed". */
export function shortages(quotas: readonly QuotaView[], needs: readonly Needs[]): string[] {
  return quotas.flatMap((quota) => {
    const counted = needs.filter((one) => takesIn(quota, one));
    return Object.entries(quota.left).flatMap(([key, left]) => {
      const needed = counted.reduce(
        (sum, { amounts }) => sum + (Object.hasOwn(amounts, key) ? amounts[key]! : 0),
        0,
      );
      return needed > left ? [`${quota.name}: ${key}, ${plain(left)} left, ${plain(needed)} needed`] : [];
    });
  });
}

function plain(amount: number): string {
  return String(Math.round(amount * 1000) / 1000);
}

function takesIn({ scopes }: QuotaView, { pod }: Needs): boolean {
  return scopes.every(({ name, operator, values }) => {
    if (pod === undefined) return false;
    switch (name) {
      case "BestEffort":
        return pod.bestEffort;
      case "NotBestEffort":
        return !pod.bestEffort;
      case "Terminating":
        return pod.bounded;
      case "NotTerminating":
        return !pod.bounded;
      case "PriorityClass":
        return hasClass(pod.priorityClass, operator, values);
      default:
        // Affinity across namespaces, or a scope that came later: nothing that is made here is known to have it.
        return false;
    }
  });
}

function hasClass(name: string, operator: string, values: readonly string[]): boolean {
  if (operator === "In") return values.includes(name);
  if (operator === "NotIn") return !values.includes(name);
  return (name !== "") === (operator !== "DoesNotExist");
}
