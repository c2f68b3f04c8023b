import type { JournalEntry } from "../cluster/journal";

/** Folder below rolled-back/ on each volume: one a rollback, and the same when a killed one goes on. */
export function asideName(entries: readonly JournalEntry[]): string {
  const begun = entries.findLast((entry) => entry.step === "rollback-begin" && entry.beat === "act");
  return (begun?.time ?? new Date().toISOString()).replace(/[^0-9TZ]/g, "");
}

/**
 * True when a rollback has put the Raft files of this claim aside, and no server of this migration has run on it
 * since: a follower starts on it as on an empty one (hazard I33).
 */
export function isSetAside(entries: readonly JournalEntry[], ordinal: number, claimUid: string): boolean {
  const aside = entries.findLastIndex(
    (entry) =>
      entry.step === `rollback-set-aside-${ordinal}` &&
      entry.beat === "done" &&
      entry.observed["claimUid"] === claimUid,
  );
  if (aside < 0 || claimUid === "") return false;
  return !entries.slice(aside).some((entry) => entry.step === `follower-${ordinal}` && entry.beat === "act");
}
