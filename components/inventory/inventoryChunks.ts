import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { digestOfEntries } from "./digester";
import type { Inventory, InventoryEntry } from "./inventory";

/** Bytes of gzip data in one Secret: etcd refuses objects over about 1.5 MB, and JSON carries them as base64. */
export const CHUNK_BYTES = 700 * 1024;
/** Entries compressed at a time; a piece of this many stays far below CHUNK_BYTES unless names are very long. */
const PIECE_ENTRIES = 2000;

/** What the index holds: everything of an Inventory but its entries, and how to know that these are whole. */
export interface InventoryHeader extends Omit<Inventory, "entries"> {
  readonly count: number;
  /** SHA-256 of each chunk, in order. */
  readonly chunks: readonly string[];
}

export interface PackedInventory {
  readonly header: InventoryHeader;
  readonly chunks: readonly Buffer[];
}

/** Entries as gzip members of JSON lines, gathered into chunks. @throws Error for an entry that fits in no chunk. */
export function packInventory(inventory: Inventory): PackedInventory {
  const { entries, ...rest } = inventory;
  const chunks: Buffer[] = [];
  let open: Buffer[] = [];
  let bytes = 0;
  const close = () => {
    if (open.length > 0) chunks.push(Buffer.concat(open));
    open = [];
    bytes = 0;
  };
  for (const piece of pieces(entries)) {
    if (bytes + piece.length > CHUNK_BYTES) close();
    open.push(piece);
    bytes += piece.length;
  }
  close();
  return { header: { ...rest, count: entries.length, chunks: chunks.map(sha256) }, chunks };
}

/** The inventory again. @throws Error when a chunk or the whole is not what the header says. */
export function unpackInventory({ header, chunks }: PackedInventory): Inventory {
  const { count, chunks: sums, ...rest } = header;
  const bad = sums.findIndex((sum, n) => chunks[n] === undefined || sha256(chunks[n]) !== sum);
  if (bad >= 0 || sums.length !== chunks.length) {
    throw new Error(
      `stored inventory: chunk ${bad >= 0 ? bad : sums.length} is not the one that was written`,
    );
  }
  const entries = chunks.flatMap((chunk) => parsed(gunzipSync(chunk).toString("utf8")));
  if (entries.length !== count || digestOfEntries(entries) !== rest.digest) {
    throw new Error(
      `stored inventory: found ${entries.length} entries, expected ${count} with digest ${rest.digest}`,
    );
  }
  return { ...rest, entries };
}

function* pieces(entries: readonly InventoryEntry[], size = PIECE_ENTRIES): Generator<Buffer> {
  for (let from = 0; from < entries.length; from += size) {
    const part = entries.slice(from, from + size);
    const piece = gzipSync(part.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    if (piece.length <= CHUNK_BYTES) yield piece;
    else if (size > 1) yield* pieces(part, Math.ceil(size / 10));
    else
      throw new Error(
        `entry ${part[0]!.id.slice(0, 8)} takes ${piece.length} bytes, more than a Secret may hold`,
      );
  }
}

function parsed(lines: string): InventoryEntry[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as InventoryEntry);
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
