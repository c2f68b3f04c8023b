import { createCipheriv, randomBytes } from "node:crypto";
import type { SealedEntries } from "../../components/keyProof/proveKey";

/** A store's two sealed entries, made as OpenBao makes them, with the key that opens them. */
export interface SealedStore {
  readonly key: string;
  readonly entries: SealedEntries;
}

/** AES-256-GCM: nonce, ciphertext, tag. */
function seal(key: Buffer, plain: string, aad?: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  if (aad !== undefined) cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** @param options.version of the keyring entry; @param options.legacy the unseal key is the root key itself. */
export function sealedStore(
  options: { version?: 1 | 2; legacy?: boolean; terms?: number; unsealKey?: Buffer } = {},
): SealedStore {
  const { version = 2, legacy = false, terms = 1, unsealKey = randomBytes(32) } = options;
  const rootKey = legacy ? unsealKey : randomBytes(32);
  const keys = Array.from({ length: terms }, (_, n) => ({
    Term: n + 1,
    Version: 1,
    Value: randomBytes(32).toString("base64"),
    InstallTime: "2026-11-24T09:00:00.123456789Z",
    encryptions: 42,
  }));
  const ring = JSON.stringify({ MasterKey: rootKey.toString("base64"), Keys: keys, RotationConfig: {} });
  const keyring = Buffer.concat([
    Buffer.from([0, 0, 0, 1, version]),
    seal(rootKey, ring, version === 2 ? "core/keyring" : undefined),
  ]);
  if (legacy) return { key: unsealKey.toString("hex"), entries: { keyring } };
  const blob = seal(unsealKey, JSON.stringify([rootKey.toString("base64")]));
  // Field 1 (bytes) with its length as a varint, then field 3 (an empty message), as the wrapper writes it.
  const length = blob.length < 128 ? [blob.length] : [(blob.length & 0x7f) | 0x80, blob.length >> 7];
  const storedKeys = Buffer.concat([Buffer.from([0x0a, ...length]), blob, Buffer.from([0x1a, 0])]);
  return { key: unsealKey.toString("hex"), entries: { storedKeys, keyring } };
}

/** An entry as the file storage keeps it. */
export function fileOf(value: Buffer): string {
  return `{"Value":"${value.toString("base64")}"}\n`;
}
