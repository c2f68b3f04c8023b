import type { InventoryEntry } from "./inventory";

/** What every new store has by itself. */
const BUILT_IN = new Set([
  "sys/mounts/sys/",
  "sys/mounts/identity/",
  "sys/mounts/cubbyhole/",
  "sys/auth/token/",
  "sys/policies/acl/default",
  "sys/policies/acl/root",
  "identity/oidc/provider/default",
  "identity/oidc/assignment/allow_all",
  "identity/oidc/key/default",
]);

export interface Coverage {
  readonly rebuilt: number;
  readonly discarded: number;
  /** Entries that nothing covers, counted by mount and kind; no entry's name. */
  readonly uncovered: readonly { readonly mount: string; readonly kind: string; readonly entries: number }[];
}

/** Pure: which entries the Jobs make anew, which are given up by name, and which nobody has spoken of (hazard I48). */
export function coverage(
  entries: readonly Pick<InventoryEntry, "kind" | "mount" | "name">[],
  rebuilds: readonly string[],
  discard: readonly string[],
): Coverage {
  let rebuilt = 0;
  let discarded = 0;
  const open = new Map<string, { mount: string; kind: string; entries: number }>();
  for (const entry of entries) {
    // Audit devices are declared in the server's config, which stays.
    if (entry.kind === "audit" || BUILT_IN.has(entry.name)) continue;
    if (rebuilds.some((prefix) => covers(prefix, entry.name))) rebuilt++;
    else if (discard.some((prefix) => covers(prefix, entry.name))) discarded++;
    else {
      const key = `${entry.mount} ${entry.kind}`;
      const seen = open.get(key) ?? { mount: entry.mount, kind: entry.kind, entries: 0 };
      open.set(key, { ...seen, entries: seen.entries + 1 });
    }
  }
  const uncovered = [...open.values()].sort((a, b) => (a.mount < b.mount ? -1 : 1));
  return { rebuilt, discarded, uncovered };
}

/** "secret/app" covers itself and what lies below it, and not "secret/application". */
export function covers(prefix: string, name: string): boolean {
  return name === prefix || name.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
