import { createDecipheriv, createHash, createHmac } from "node:crypto";
import { combineShares } from "./shamir";

/** The two entries that an unseal reads, as they lie in storage: ciphertext. */
export interface SealedEntries {
  /** `core/hsm/barrier-unseal-keys`: the root key under the unseal key; absent in stores from before Vault 1.3. */
  readonly storedKeys?: Buffer;
  /** `core/keyring`: the data keys under the root key. */
  readonly keyring: Buffer;
}

export type KeyProof =
  | { readonly proven: true; /** Data keys in the keyring. */ readonly terms: number }
  | { readonly proven: false; readonly reason: "wrong-key" | "unknown-format"; readonly why: string };

const KEYRING_PATH = "core/keyring";
const NONCE = 12;
const TAG = 16;

class UnknownFormat extends Error {}
class WrongKey extends Error {}

/**
 * Does offline what `bao operator unseal` does first: shares -> unseal key -> root key -> keyring, each step under
 * AES-GCM, so that success is proof and not likelihood (hazard F24). Keeps no key, and names none in `why`.
 * Source: openbao vault/core.go unsealKeyToRootKey, vault/seal.go readStoredKeys, vault/barrier_aes_gcm.go.
 */
export function proveKey(shares: readonly string[], entries: SealedEntries): KeyProof {
  const secrets: Buffer[] = [];
  const held = (buffer: Buffer): Buffer => {
    secrets.push(buffer);
    return buffer;
  };
  try {
    const parts = shares.map((share) => held(keyBytes(share)));
    const unsealKey = parts.length === 1 ? parts[0]! : held(combine(parts));
    const rootKey =
      entries.storedKeys === undefined ? unsealKey : held(rootKeyOf(unsealKey, entries.storedKeys, held));
    return { proven: true, terms: termsOf(held(openKeyring(rootKey, entries.keyring))) };
  } catch (error) {
    if (error instanceof WrongKey) return { proven: false, reason: "wrong-key", why: error.message };
    if (error instanceof UnknownFormat)
      return { proven: false, reason: "unknown-format", why: error.message };
    throw error;
  } finally {
    for (const buffer of secrets) buffer.fill(0);
  }
}

/** Steps whose "done" entry in the journal is a proof. */
const PROOF_STEPS: readonly string[] = ["key-proof", "key-proof-cutover"];

/** The newest proof among journal entries, which come oldest first. */
export function newestProof<T extends { readonly step: string; readonly beat: string }>(
  entries: readonly T[],
): T | undefined {
  return entries.filter((entry) => PROOF_STEPS.includes(entry.step) && entry.beat === "done").at(-1);
}

/** Names the store by the ciphertext of its root key; says nothing about the key. */
export function storeDigest(entries: SealedEntries): string {
  return createHash("sha256")
    .update(entries.storedKeys ?? entries.keyring)
    .digest("hex");
}

/**
 * Tells one unseal key from another for one store. The key itself is the HMAC's key: with its 128 bits and more it
 * cannot be guessed from the result.
 */
export function keyFingerprint(unsealKey: string, store: string): string | undefined {
  const key = decoded(unsealKey);
  if (key === undefined || key.length < 16) return undefined;
  try {
    return createHmac("sha256", key)
      .update(`openbao-raft-migration key proof ${store}`)
      .digest()
      .subarray(0, 16)
      .toString("hex");
  } finally {
    key.fill(0);
  }
}

/** Hex first, then base64: the order in which OpenBao's API reads a key. */
function decoded(text: string): Buffer | undefined {
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return Buffer.from(text, "hex");
  const base64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return base64 ? Buffer.from(text, "base64") : undefined;
}

function keyBytes(text: string): Buffer {
  const key = decoded(text);
  if (key === undefined) throw new WrongKey("the key is neither hex nor base64");
  return key;
}

function combine(shares: readonly Buffer[]): Buffer {
  try {
    return combineShares(shares);
  } catch (error) {
    throw new WrongKey((error as Error).message);
  }
}

/** The stored keys: a BlobInfo message whose field 1 is nonce, ciphertext and tag of a JSON list of base64. */
function rootKeyOf(unsealKey: Buffer, entry: Buffer, held: (buffer: Buffer) => Buffer): Buffer {
  const blob = firstBytesField(entry);
  const plain = held(
    open(unsealKey, blob.subarray(0, NONCE), blob.subarray(NONCE), undefined, "the root key"),
  );
  const keys = parsed(plain, "the stored keys");
  if (!Array.isArray(keys) || keys.length !== 1 || typeof keys[0] !== "string") {
    throw new UnknownFormat("the stored keys are not a list of one key");
  }
  return Buffer.from(keys[0], "base64");
}

/** The keyring: 4 bytes of term, 1 of version, nonce, ciphertext and tag; version 2 binds the entry's path. */
function openKeyring(rootKey: Buffer, entry: Buffer): Buffer {
  const version = entry[4];
  if (entry.length < 5 + NONCE + TAG || (version !== 1 && version !== 2)) {
    throw new UnknownFormat(`the keyring has ${entry.length} bytes and version ${version ?? "none"}`);
  }
  const aad = version === 2 ? Buffer.from(KEYRING_PATH) : undefined;
  return open(rootKey, entry.subarray(5, 5 + NONCE), entry.subarray(5 + NONCE), aad, "the keyring");
}

function termsOf(keyring: Buffer): number {
  const keys = (parsed(keyring, "the keyring") as { Keys?: unknown } | null)?.Keys;
  if (!Array.isArray(keys) || keys.length === 0) throw new UnknownFormat("the keyring lists no key");
  return keys.length;
}

function open(key: Buffer, nonce: Buffer, sealed: Buffer, aad: Buffer | undefined, what: string): Buffer {
  if (![16, 24, 32].includes(key.length)) throw new WrongKey(`a key of ${key.length} bytes opens nothing`);
  if (nonce.length < NONCE || sealed.length < TAG) throw new UnknownFormat(`${what} is too short`);
  const decipher = createDecipheriv(`aes-${(key.length * 8) as 128 | 192 | 256}-gcm`, key, nonce);
  decipher.setAuthTag(sealed.subarray(-TAG));
  if (aad !== undefined) decipher.setAAD(aad);
  const plain = decipher.update(sealed.subarray(0, -TAG));
  try {
    decipher.final();
  } catch {
    plain.fill(0);
    throw new WrongKey(`it does not open ${what} (message authentication failed)`);
  }
  return plain;
}

/** Field 1 of a protobuf message, when it comes first and holds bytes. */
function firstBytesField(message: Buffer): Buffer {
  let length = 0;
  let at = 1;
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = message[at++];
    if (byte === undefined) break;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      const field = message.subarray(at, at + length);
      if (message[0] === 0x0a && field.length === length) return field;
      break;
    }
  }
  throw new UnknownFormat("the stored keys are not in the known format");
}

/** JSON of a decrypted entry; the parser's own message could quote it, so it is not repeated. */
function parsed(plain: Buffer, what: string): unknown {
  try {
    return JSON.parse(plain.toString("utf8")) as unknown;
  } catch {
    throw new UnknownFormat(`${what} are not JSON once decrypted`);
  }
}
