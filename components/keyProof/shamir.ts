/** GF(256) with OpenBao's polynomial x^8 + x^4 + x^3 + x + 1 (openbao sdk/helper/shamir). */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x11b : 0);
  }
  return product;
}

/** a^254 is the inverse of a in GF(256). */
function inverse(a: number): number {
  let result = 1;
  for (let n = 0; n < 254; n++) result = multiply(result, a);
  return result;
}

/**
 * Combines key shares as `bao operator unseal` does: each share is the key's length and one byte for its place.
 * @throws Error for fewer than two shares, shares of unequal length, or the same share twice.
 */
export function combineShares(shares: readonly Buffer[]): Buffer {
  const length = shares[0]?.length ?? 0;
  if (shares.length < 2) throw new Error(`${shares.length} key share(s), expected at least 2 to combine`);
  if (length < 2 || shares.some((share) => share.length !== length)) {
    throw new Error("the key shares differ in length: they are not of one key");
  }
  const places = shares.map((share) => share[length - 1]!);
  if (new Set(places).size !== places.length) throw new Error("a key share was given twice");
  // Lagrange at 0; subtraction is XOR, so 0 - x is x.
  const weights = places.map((own, i) =>
    places.reduce(
      (weight, other, j) => (i === j ? weight : multiply(weight, multiply(other, inverse(other ^ own)))),
      1,
    ),
  );
  const key = Buffer.alloc(length - 1);
  for (let at = 0; at < key.length; at++) {
    key[at] = shares.reduce((sum, share, i) => sum ^ multiply(share[at]!, weights[i]!), 0);
  }
  return key;
}
