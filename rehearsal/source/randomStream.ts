import { createHash } from "node:crypto";

/** A stream of pseudo-random numbers that depends on its name only: the same seed gives the same content. */
export interface RandomStream {
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** `bytes` pseudo-random bytes. */
  bytes(count: number): Buffer;
  /** Lower-case hex digits, `length` of them. */
  hex(length: number): string;
}

/** The stream named by `parts`; streams of different names are independent (sfc32, seeded by SHA-256). */
export function randomStream(...parts: readonly (string | number)[]): RandomStream {
  const digest = createHash("sha256").update(parts.join("\0")).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const bytes = (count: number): Buffer => {
    const buffer = Buffer.alloc(count + 3);
    for (let at = 0; at < count; at += 4) buffer.writeUInt32LE(next(), at);
    return buffer.subarray(0, count);
  };
  return {
    below: (limit) => next() % limit,
    bytes,
    hex: (length) =>
      bytes((length + 1) >> 1)
        .toString("hex")
        .slice(0, length),
  };
}
