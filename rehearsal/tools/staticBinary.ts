import { closeSync, openSync, readSync } from "node:fs";

const ELF_MAGIC = 0x7f454c46;
const PT_INTERP = 3;

/**
 * Tells whether a 64-bit little-endian ELF file runs without a dynamic loader, so that it works alone in an image.
 * Anything that is no such file counts as not static.
 */
export function isStaticBinary(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(64);
    if (readSync(file, header, 0, 64, 0) < 64 || header.readUInt32BE(0) !== ELF_MAGIC) return false;
    if (header[4] !== 2 || header[5] !== 1) return false;
    const size = header.readUInt16LE(54);
    const programs = Buffer.alloc(size * header.readUInt16LE(56));
    readSync(file, programs, 0, programs.length, Number(header.readBigUInt64LE(32)));
    for (let at = 0; at + 4 <= programs.length; at += size) {
      if (programs.readUInt32LE(at) === PT_INTERP) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}
