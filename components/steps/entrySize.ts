import type { JournalEntry } from "../cluster/journal";

/** OpenBao's own limit of one Raft entry, in bytes. */
export const DEFAULT_MAX_ENTRY_BYTES = 1_048_576;

/**
 * The entry size, in bytes, that both `bao operator migrate` and the server must take (hazard I13). A stored value is
 * base64 inside its file, so it is at most 3/4 of the largest file.
 */
export function maxEntryBytes(largestFileBytes: number): number {
  const value = Math.ceil((largestFileBytes * 3) / 4);
  return value <= DEFAULT_MAX_ENTRY_BYTES ? DEFAULT_MAX_ENTRY_BYTES : 2 ** Math.ceil(Math.log2(value));
}

/** Steps that look at each file: in stage backup, and once more while the server still serves. */
const SEEN_BY: readonly string[] = ["file-copy", "key-proof-cutover"];

/** Bytes of the largest file that a step saw, by the journal; 0 before one has looked. */
export function largestFile(journal: readonly JournalEntry[]): number {
  const seen = journal.filter(({ step, beat }) => beat === "done" && SEEN_BY.includes(step));
  return Math.max(0, ...seen.map(({ observed }) => Number(observed["largest"] ?? 0)));
}

/** What a step refuses with when the planned server config takes less than the largest entry needs (hazard I13). */
export function limitTooLow(needed: number, planned: number): string {
  return `the largest entry needs max_entry_size ${needed}, the planned server config has ${planned}. Run \`pulumi up\` again: the size is known now and goes into both`;
}

/** What the server config is told of it; nothing where the server's own limit is enough. */
export function entryLimit(largestFileBytes: number): { readonly maxEntrySize?: number } {
  const bytes = maxEntryBytes(largestFileBytes);
  return bytes > DEFAULT_MAX_ENTRY_BYTES ? { maxEntrySize: bytes } : {};
}
