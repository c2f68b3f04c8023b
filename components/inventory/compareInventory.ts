import { digestOfEntries } from "./digester";
import type { Inventory, InventoryEntry } from "./inventory";
import { judgeEntry, type Judgement } from "./judgeEntry";

/** One entry that is not plainly equal, shown without its name. */
export interface Difference {
  /** First 8 characters of the entry's keyed id. */
  readonly id: string;
  readonly kind: InventoryEntry["kind"];
  readonly mount: string;
  readonly why: string;
}

export interface CompareOptions {
  /** Name prefixes (namespace and API path) of entries that clients change all the time. */
  readonly volatile: readonly string[];
}

interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

export interface Comparison {
  /** "failed": something was lost or went back; "warn": changed without version evidence, or unreadable on both sides. */
  readonly verdict: "equal" | "warn" | "failed";
  readonly equal: number;
  /** The version advanced and every older version kept by both agrees. */
  readonly newer: readonly Difference[];
  readonly changed: readonly Difference[];
  readonly lost: readonly Difference[];
  readonly regressed: readonly Difference[];
  readonly added: readonly Difference[];
  /** Not equal, under a volatile prefix. */
  readonly excused: readonly Difference[];
  readonly notCompared: { readonly entries: readonly Difference[]; readonly mounts: readonly string[] };
  readonly counts: {
    readonly entries: BeforeAfter;
    readonly tokens: BeforeAfter;
    readonly leases: BeforeAfter;
    readonly vanished: BeforeAfter;
  };
  /**
   * Over the entries of the inventory before, outside the volatile prefixes. What came after is in `added`: a server
   * that starts makes things by itself, such as a namespace's default OIDC key.
   */
  readonly digestBefore: string;
  readonly digestAfter: string;
  readonly sameDigest: boolean;
}

type Outcome = Judgement["outcome"] | "lost" | "added" | "excused";

interface Finding {
  readonly entry: InventoryEntry;
  readonly outcome: Outcome;
  readonly why: string;
}

/** Compares two inventories of one key, entry by entry. @throws Error when their keys differ. */
export function compareInventory(before: Inventory, after: Inventory, options: CompareOptions): Comparison {
  const findings = [...findingsOf(before, after, options)];
  const group = (outcome: Outcome) => findings.filter((f) => f.outcome === outcome).map(difference);
  const known = new Set(before.entries.map(({ id }) => id));
  const steady = (inventory: Inventory) =>
    digestOfEntries(inventory.entries.filter((entry) => known.has(entry.id) && !isVolatile(entry, options)));
  const [digestBefore, digestAfter] = [steady(before), steady(after)];
  const groups = {
    newer: group("newer"),
    changed: group("changed"),
    lost: group("lost"),
    regressed: group("regressed"),
    added: group("added"),
    excused: group("excused"),
  };
  const unreadable = group("notCompared");
  const failed = groups.lost.length + groups.regressed.length > 0;
  const warn = groups.changed.length + unreadable.length > 0;
  return {
    verdict: failed ? "failed" : warn ? "warn" : "equal",
    equal: findings.filter((f) => f.outcome === "equal").length,
    ...groups,
    notCompared: {
      entries: unreadable,
      mounts: [...new Set([...before.notCompared, ...after.notCompared])].sort(),
    },
    counts: {
      entries: { before: before.entries.length, after: after.entries.length },
      tokens: { before: before.counts.tokens, after: after.counts.tokens },
      leases: { before: leasesOf(before), after: leasesOf(after) },
      vanished: { before: before.vanished, after: after.vanished },
    },
    digestBefore,
    digestAfter,
    sameDigest: digestBefore === digestAfter,
  };
}

function* findingsOf(before: Inventory, after: Inventory, options: CompareOptions): Generator<Finding> {
  if (before.keyId !== after.keyId) {
    throw new Error(
      `the inventories were taken with different keys (${before.keyId} and ${after.keyId}), expected one; take both again with the key of this run`,
    );
  }
  const later = new Map(after.entries.map((entry) => [entry.id, entry]));
  for (const entry of before.entries) {
    const match = later.get(entry.id);
    later.delete(entry.id);
    const found: Omit<Finding, "entry"> =
      match === undefined ? { outcome: "lost", why: "absent after" } : judgeEntry(entry, match);
    yield { entry, ...excuse(found, entry, options) };
  }
  for (const entry of later.values()) {
    yield { entry, ...excuse({ outcome: "added", why: "absent before" }, entry, options) };
  }
}

function excuse(
  found: Omit<Finding, "entry">,
  entry: InventoryEntry,
  options: CompareOptions,
): Omit<Finding, "entry"> {
  const needless = found.outcome === "equal" || found.outcome === "newer" || !isVolatile(entry, options);
  return needless ? found : { outcome: "excused", why: `${found.outcome}: ${found.why}` };
}

function isVolatile(entry: InventoryEntry, options: CompareOptions): boolean {
  return options.volatile.some((prefix) => entry.name.startsWith(prefix));
}

function difference({ entry, why }: Finding): Difference {
  return { id: entry.id.slice(0, 8), kind: entry.kind, mount: entry.mount, why };
}

function leasesOf(inventory: Inventory): number {
  return Object.values(inventory.counts.leases).reduce((sum, count) => sum + count, 0);
}
