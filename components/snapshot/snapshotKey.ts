import { createDecipheriv } from "node:crypto";
import { SnapshotFault, type SnapshotFacts } from "./readSnapshot";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHERTEXT_FIELD = 1;

/**
 * Proves, without any server, that a snapshot belongs to the cluster whose one unseal key this is: SHA256SUMS.sealed is
 * SHA256SUMS under AES-256-GCM with that key (seen on 2.4.0, Shamir, one share). A snapshot of another cluster, or from
 * before a rekey, would be locked for ever after the restore (hazard F29).
 * @param key the unseal key as `bao operator init` prints it, base64 or hex.
 * @throws SnapshotFault
 */
export function assertKeyOpens(facts: Pick<SnapshotFacts, "sums" | "sealedSums">, key: string): void {
  const sealed = ciphertextOf(facts.sealedSums);
  const raw = keyBytes(key);
  if (sealed === undefined || sealed.length <= NONCE_BYTES + TAG_BYTES) {
    throw new SnapshotFault(
      "its SHA256SUMS.sealed is of another seal than one Shamir key; the stored key cannot be proved",
      "F29",
    );
  }
  if (raw === undefined || !sameText(sealed, raw, facts.sums)) {
    throw new SnapshotFault(
      "the stored unseal key does not open it: it is of another cluster, or of a time before or after a rekey; put the key of its time into the key Secret, or take another snapshot",
      "F29",
    );
  }
}

function sameText(sealed: Buffer, key: Buffer, sums: Buffer): boolean {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
    return lines(Buffer.concat([decipher.update(body), decipher.final()])) === lines(sums);
  } catch {
    return false;
  }
}

/** The server writes the lines in an order of its own each time (seen on 2.4.0). */
function lines(text: Buffer): string {
  return text.toString("latin1").split("\n").sort().join("\n");
}

function keyBytes(key: string): Buffer | undefined {
  const raw = /^[0-9a-f]{64}$/i.test(key) ? Buffer.from(key, "hex") : Buffer.from(key, "base64");
  return raw.length === 32 ? raw : undefined;
}

/** The bytes of field 1 of the protobuf message that the seal writes; undefined when it is not one. */
function ciphertextOf(message: Buffer): Buffer | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35 && at < message.length; shift += 7) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const length = (tag & 7) === 2 ? varint() : NaN;
    if (Number.isNaN(length) || at + length > message.length) return undefined;
    if (tag >> 3 === CIPHERTEXT_FIELD) return message.subarray(at, at + length);
    at += length;
  }
  return undefined;
}
