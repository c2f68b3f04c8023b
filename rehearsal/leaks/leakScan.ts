import { closeSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, inflateSync } from "node:zlib";

/** What a watch kept, and where it saw it. */
export interface SeenText {
  readonly where: string;
  readonly text: string;
}

const CHUNK = 4 << 20;
/** Compressed files beyond this are no state, history or Git object of a rehearsal. */
const MAX_COMPRESSED = 256 << 20;

/**
 * The forms in which a secret could be written: plain, base64 at each alignment in both alphabets, hex in both cases,
 * URL- and JSON-escaped.
 */
export function forms(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from("x".repeat(shift) + secret).toString("base64");
    // Characters that also hold bits of the neighbours are cut off; the others are the same in any text.
    const whole = Math.floor(((shift + Buffer.byteLength(secret)) * 8) / 6);
    return text.slice(shift === 0 ? 0 : shift + 1, whole);
  });
  const hex = Buffer.from(secret).toString("hex");
  const all = [
    secret,
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    // Go's JSON, and what escapes a slash.
    JSON.stringify(secret).slice(1, -1).replace(/[<>&]/g, unicode),
    JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
  ];
  return [...new Set(all.filter((form) => form.length >= 6))];
}

/** Every file below the roots (links are not followed) that holds one of the forms; gzip and Git's objects are opened. */
export function filesWith(secrets: readonly string[], roots: readonly string[]): string[] {
  return roots.flatMap(filesBelow).filter((file) => holds(file, secrets));
}

/** Where a watch saw one of the forms. */
export function textsWith(secrets: readonly string[], seen: readonly SeenText[]): string[] {
  return seen.filter(({ text }) => secrets.some((secret) => text.includes(secret))).map(({ where }) => where);
}

/** In pieces that overlap: a log of any size takes the same memory. */
function holds(file: string, secrets: readonly string[]): boolean {
  const overlap = Math.max(0, ...secrets.map((secret) => secret.length));
  const handle = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(CHUNK);
    let tail = "";
    for (let first = true; ; first = false) {
      const length = readSync(handle, buffer, 0, CHUNK, null);
      if (first && isCompressed(buffer.subarray(0, length))) return inflatedHolds(file, secrets);
      if (length === 0) return false;
      const text = tail + buffer.toString("latin1", 0, length);
      if (secrets.some((secret) => text.includes(secret))) return true;
      tail = text.slice(-overlap);
    }
  } finally {
    closeSync(handle);
  }
}

function inflatedHolds(file: string, secrets: readonly string[]): boolean {
  const { size } = lstatSync(file);
  if (size > MAX_COMPRESSED) throw new Error(`${file}: ${size} bytes, too large to be opened and scanned`);
  const bytes = Buffer.alloc(size);
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, size, 0);
  } finally {
    closeSync(handle);
  }
  const text = bytes.toString("latin1") + inflated(bytes);
  return secrets.some((secret) => text.includes(secret));
}

/** What only begins like compressed bytes is looked at as it is. */
function inflated(bytes: Buffer): string {
  try {
    return (bytes[0] === 0x1f ? gunzipSync(bytes) : inflateSync(bytes)).toString("latin1");
  } catch {
    return "";
  }
}

/** gzip, or zlib as Git's loose objects have it. */
function isCompressed(bytes: Buffer): boolean {
  return (
    (bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes[0] === 0x78 && (bytes[0] * 256 + bytes[1]!) % 31 === 0)
  );
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function filesBelow(path: string): string[] {
  const stat = lstatSync(path);
  if (stat.isFile()) return [path];
  if (!stat.isDirectory()) return [];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}
