import type { InventoryEntry } from "./inventory";

export interface Judgement {
  readonly outcome: "equal" | "newer" | "changed" | "regressed" | "notCompared";
  readonly why: string;
}

type Digests = ReadonlyMap<string, string>;

/** Judges one entry that is on both sides. What a client cannot have done, such as a version that goes back, is "regressed". */
export function judgeEntry(before: InventoryEntry, after: InventoryEntry): Judgement {
  const [old, now] = [labelled(before.digests), labelled(after.digests)];
  const unreadable = [...now].filter(([, digest]) => digest === "u").map(([label]) => label);
  if (unreadable.some((label) => old.get(label) !== "u")) {
    return { outcome: "regressed", why: "readable before, unreadable after" };
  }
  if (before.version === undefined && old.has("")) {
    return {
      outcome: "notCompared",
      why: unreadable.length > 0 ? "unreadable on both sides" : "unreadable before",
    };
  }
  const versions = judgeVersions(before.version ?? 0, after.version ?? 0, old, now);
  if (versions.outcome !== "equal" && versions.outcome !== "newer") return versions;
  if (old.get("i") !== now.get("i")) {
    return { outcome: "regressed", why: "another mount of the same path (uuid, accessor or type differs)" };
  }
  if (old.get("c") !== now.get("c")) {
    return { outcome: "changed", why: before.version === undefined ? "content differs" : "settings differ" };
  }
  if (unreadable.length > 0) return { outcome: "notCompared", why: "a version is unreadable on both sides" };
  return versions;
}

function judgeVersions(oldVersion: number, newVersion: number, old: Digests, now: Digests): Judgement {
  if (newVersion < oldVersion) {
    return { outcome: "regressed", why: `version went back from ${oldVersion} to ${newVersion}` };
  }
  const oldest = Math.min(...numbersOf(now));
  let touched: string | undefined;
  for (const n of numbersOf(old)) {
    const [then, next] = [old.get(String(n))!, now.get(String(n))];
    if (next === undefined) {
      // A writer may push the oldest versions out; nothing else may.
      if (newVersion === oldVersion || n > oldest)
        return { outcome: "regressed", why: `version ${n} is gone` };
    } else if (then !== next) {
      if (then === "x") return { outcome: "regressed", why: `version ${n} was destroyed and is back` };
      if (then.startsWith("l:") && next.startsWith("l:")) {
        return { outcome: "regressed", why: `version ${n} has other content` };
      }
      touched = `version ${n} was deleted, undeleted or destroyed`;
    }
  }
  if (touched !== undefined) return { outcome: "changed", why: touched };
  const extra = numbersOf(now).some((n) => n <= oldVersion && !old.has(String(n)));
  if (extra) return { outcome: "changed", why: "an older version is back in reach" };
  return newVersion > oldVersion
    ? { outcome: "newer", why: `version ${oldVersion} to ${newVersion}` }
    : { outcome: "equal", why: "" };
}

/** "3:l:abc" -> "3" = "l:abc"; "c:abc" -> "c" = "abc"; "u" -> "" = "u". */
function labelled(digests: readonly string[]): Digests {
  return new Map(
    digests.map((digest) => {
      const colon = digest.indexOf(":");
      return [digest.slice(0, Math.max(0, colon)), digest.slice(colon + 1)];
    }),
  );
}

function numbersOf(digests: Digests): number[] {
  return [...digests.keys()].filter((label) => /^\d+$/.test(label)).map(Number);
}
