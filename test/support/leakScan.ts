import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** The forms in which a secret could be written: plain, base64 at each alignment, hex, URL- and JSON-escaped. */
export function forms(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from("x".repeat(shift) + secret).toString("base64");
    // The ends depend on the neighbours; the middle does not.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  const all = [
    secret,
    ...base64,
    Buffer.from(secret).toString("hex"),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [...new Set(all.filter((form) => form.length >= 6))];
}

/** Every file below the roots (links are not followed) that holds one of the forms, gzip opened. */
export function filesWith(secrets: readonly string[], roots: readonly string[]): string[] {
  return roots.flatMap(filesBelow).filter((file) => {
    const bytes = readFileSync(file);
    const text = bytes.toString("latin1") + (isGzip(bytes) ? gunzipSync(bytes).toString("latin1") : "");
    return secrets.some((secret) => text.includes(secret));
  });
}

function filesBelow(path: string): string[] {
  const stat = lstatSync(path);
  if (stat.isFile()) return [path];
  if (!stat.isDirectory()) return [];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
