import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** One entry of an archive. */
export type TarEntry = {
  readonly path: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
} & (
  | { readonly kind: "directory" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "copy"; readonly source: string }
);

const BLOCK = 512;
const TYPE_FLAGS = { directory: "5", link: "2", text: "0", copy: "0" } as const;

/** The 512-byte ustar header of an entry: no time, no owner names, so equal entries give equal bytes. */
export function tarHeader(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const path = entry.kind === "directory" && !entry.path.endsWith("/") ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100) {
    throw new Error(
      `"${path}" is ${Buffer.byteLength(path)} bytes; an image path may have 100. Choose a shorter one.`,
    );
  }
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0") + "\0";
  header.write(path, 0);
  header.write(octal(entry.mode, 8), 100);
  header.write(octal(entry.uid ?? 0, 8), 108);
  header.write(octal(entry.gid ?? 0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(" ".repeat(8), 148);
  header.write(TYPE_FLAGS[entry.kind], 156);
  if (entry.kind === "link") header.write(entry.target, 157);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
  return header;
}

function contentOf(entry: TarEntry): Buffer {
  if (entry.kind === "text") return Buffer.from(entry.text, "utf8");
  return entry.kind === "copy" ? readFileSync(entry.source) : Buffer.alloc(0);
}

/** The archive, piece by piece, in the order of the entries. */
function* pieces(entries: readonly TarEntry[]): Generator<Buffer> {
  for (const entry of entries) {
    const content = contentOf(entry);
    yield tarHeader(entry, content.length);
    yield content;
    yield Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(BLOCK * 2);
}

/** Writes a tar archive. @returns its SHA-256 in hex */
export function writeTar(file: string, entries: readonly TarEntry[]): string {
  const hash = createHash("sha256");
  const out = openSync(file, "w", 0o600);
  try {
    for (const piece of pieces(entries)) {
      hash.update(piece);
      for (let done = 0; done < piece.length;) done += writeSync(out, piece, done);
    }
  } finally {
    closeSync(out);
  }
  return hash.digest("hex");
}
