/** A closed interval of whole numbers: IPv4 addresses as unsigned 32-bit numbers, or ports. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Reads a dotted IPv4 address as a number; undefined for anything else (IPv6 among it). */
export function parseIPv4(address: string): number | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

/** Writes a number as a dotted IPv4 address. */
export function formatIPv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

/** Reads an IPv4 CIDR as a range; undefined for IPv6, which no address of this cluster can match. */
export function parseCidr(cidr: string): Range | undefined {
  const [address, length] = cidr.split("/");
  const value = parseIPv4(address ?? "");
  if (value === undefined || length === undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32)
    return undefined;
  const size = 2 ** (32 - Number(length));
  const from = Math.floor(value / size) * size;
  return { from, to: from + size - 1 };
}

/** Sorts ranges and joins those that touch: nft refuses a set whose intervals overlap. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && range.from <= last.to + 1)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else merged.push(range);
  }
  return merged;
}

/** What is left of a range once the holes are cut out of it. */
export function cutRanges(whole: Range, holes: readonly Range[]): Range[] {
  const left: Range[] = [];
  let from = whole.from;
  for (const hole of mergeRanges(holes)) {
    if (hole.to < from || hole.from > whole.to) continue;
    if (hole.from > from) left.push({ from, to: hole.from - 1 });
    from = hole.to + 1;
  }
  if (from <= whole.to) left.push({ from, to: whole.to });
  return left;
}
