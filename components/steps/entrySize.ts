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

/** Bytes of the largest file that step file-copy saw, by its entry in the journal; 0 before it. */
export function largestFile(copied: JournalEntry | undefined): number {
  return Number(copied?.observed["largest"] ?? 0);
}

/** What the server config is told of it; nothing where the server's own limit is enough. */
export function entryLimit(largestFileBytes: number): { readonly maxEntrySize?: number } {
  const bytes = maxEntryBytes(largestFileBytes);
  return bytes > DEFAULT_MAX_ENTRY_BYTES ? { maxEntrySize: bytes } : {};
}
