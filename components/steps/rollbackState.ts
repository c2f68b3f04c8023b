import type { JournalEntry } from "../cluster/journal";

/** What the journal tells of a move that could be taken back. Pure, on the entries that count. */
export interface RollbackState {
  /** A rollback has begun and is not finished: going forward would build on a half-undone move. */
  readonly underWay: boolean;
  /** When the move landed, or began to; from then on there is no way back. RFC 3339. */
  readonly landedAt?: string;
  /** When the file storage was last written to. RFC 3339; absent while it is in use. */
  readonly fileDataAsOf?: string;
  /** Another data path than migrate has begun: no file storage is kept that the key Secret opens for sure. */
  readonly otherPath: boolean;
  /** The file storage was removed by stage cleanup. */
  readonly cleanedUp: boolean;
}

export function rollbackState(entries: readonly JournalEntry[]): RollbackState {
  const newest = (step: string, ...beats: JournalEntry["beat"][]) =>
    entries.findLast((entry) => entry.step === step && beats.includes(entry.beat));
  // "act" alone is enough: Flux may have been given back its work before the run died.
  const landed = entries.find((entry) => entry.step === "resume" && ["act", "done"].includes(entry.beat));
  const stopped = newest("stop", "done") ?? newest("stop", "act");
  return {
    underWay: newest("rollback-begin", "act") !== undefined,
    ...(landed !== undefined && { landedAt: landed.time }),
    ...(stopped !== undefined && { fileDataAsOf: stopped.time }),
    otherPath: ["set-aside", "restore", "init"].some((step) => newest(step, "act") !== undefined),
    cleanedUp: newest("cleanup-file-data", "act", "done") !== undefined,
  };
}

/** "2026-11-24T12:00:00Z, 3.5 hours ago", or that it is not known. */
export function ageWords(time: string | undefined, now: Date): string {
  const ms = Date.parse(time ?? "");
  if (time === undefined || Number.isNaN(ms)) return "an unknown time";
  const minutes = Math.max(0, (now.getTime() - ms) / 60_000);
  const age = minutes < 120 ? `${Math.round(minutes)} minutes` : `${(minutes / 60).toFixed(1)} hours`;
  return `${time}, ${age} ago`;
}

export const OTHER_PATH =
  "the data went over by restore or reseed, and only carry migrate keeps a file storage to go back to; the way back by hand is in docs/carry.md";

/** Why a landed move is not taken back, with what would be lost. */
export function landedRefusal(state: RollbackState, now: Date): string {
  const since = state.landedAt === undefined ? "" : ` at ${state.landedAt}`;
  return `the move has landed${since}, and there is no way back from there: the file storage is as of ${ageWords(state.fileDataAsOf, now)}, and every write since then would be lost`;
}
