import { createHash, createHmac } from "node:crypto";
import type { InventoryEntry } from "./inventory";

const DIGEST_BYTES = 16;

/** Keyed digests: a plain hash of a short secret can be guessed, an HMAC under a random key cannot. */
export class Digester {
  /** @throws Error for a key under 32 bytes. */
  constructor(private readonly key: Buffer) {
    if (key.length < 32) {
      throw new Error(`the inventory key has ${key.length} bytes, expected at least 32 random bytes`);
    }
  }

  /** Digest of a value at its place: equal values at two places give unequal digests. */
  of(place: string, value: unknown): string {
    const text = `${JSON.stringify(place)}:${canonicalJson(value)}`;
    return createHmac("sha256", this.key)
      .update(text, "utf8")
      .digest()
      .subarray(0, DIGEST_BYTES)
      .toString("base64url");
  }

  /** Tells keys apart without showing them. */
  keyId(): string {
    return this.of("key-id", null).slice(0, 8);
  }
}

/** JSON with sorted object keys and no spaces. Not recursive, so that deep nesting cannot end the program. */
export function canonicalJson(value: unknown): string {
  const out: string[] = [];
  const todo: ({ readonly text: string } | { readonly value: unknown })[] = [{ value }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ("text" in next) {
      out.push(next.text);
    } else if (Array.isArray(next.value)) {
      const parts = next.value.map((item: unknown, i) => [{ text: i === 0 ? "" : "," }, { value: item }]);
      todo.push({ text: "]" }, ...parts.flat().reverse(), { text: "[" });
    } else if (typeof next.value === "object" && next.value !== null) {
      const record = next.value as Record<string, unknown>;
      const parts = Object.keys(record)
        .sort()
        .map((key, i) => [{ text: `${i === 0 ? "" : ","}${JSON.stringify(key)}:` }, { value: record[key] }]);
      todo.push({ text: "}" }, ...parts.flat().reverse(), { text: "{" });
    } else {
      out.push(JSON.stringify(next.value ?? null));
    }
  }
  return out.join("");
}

/** One digest over many entries, independent of their order. Its input is keyed digests, never values. */
export function digestOfEntries(entries: Iterable<InventoryEntry>): string {
  const lines: string[] = [];
  for (const entry of entries) lines.push(`${entry.id} ${entry.version ?? "-"} ${entry.digests.join(" ")}\n`);
  const hash = createHash("sha256");
  for (const line of lines.sort()) hash.update(line);
  return hash.digest().subarray(0, DIGEST_BYTES).toString("base64url");
}
