import { generateKeyPairSync } from "node:crypto";

const CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** A throw-away age identity, as age-keygen would make it: the file's text, and the recipient that belongs to it. */
export function ageIdentity(): { readonly identity: string; readonly recipient: string } {
  const { privateKey } = generateKeyPairSync("x25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  return {
    identity: bech32("age-secret-key-", Buffer.from(d, "base64url")).toUpperCase(),
    recipient: bech32("age", Buffer.from(x, "base64url")),
  };
}

/** BIP 173: the prefix, "1", the bytes in groups of five bits, and a checksum. */
function bech32(prefix: string, bytes: Buffer): string {
  const values = fives(bytes);
  const open = [
    ...[...prefix].map((one) => one.charCodeAt(0) >> 5),
    0,
    ...[...prefix].map((one) => one.charCodeAt(0) & 31),
  ];
  const check = checksum([...open, ...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const tail = Array.from({ length: 6 }, (_, at) => (check >> (5 * (5 - at))) & 31);
  return `${prefix}1${[...values, ...tail].map((value) => CHARACTERS[value]).join("")}`;
}

function fives(bytes: Buffer): number[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((group) => parseInt(group.padEnd(5, "0"), 2));
}

function checksum(values: readonly number[]): number {
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((sum, value) => {
    const top = sum >>> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ value;
    return generators.reduce((mixed, generator, bit) => ((top >> bit) & 1 ? mixed ^ generator : mixed), next);
  }, 1);
}
