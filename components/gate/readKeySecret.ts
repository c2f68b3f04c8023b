import type { JournalEntry } from "../cluster/journal";
import { faultOfKey } from "../cluster/keySecret";
import { keyFingerprint, newestProof } from "../keyProof/proveKey";
import { at, booleanAt, labelsAt, textAt } from "./fields";

/** How a stored key looks, in words and counts; never the key. */
export interface KeyShape {
  readonly present: boolean;
  /** What is wrong with it, in words that do not hold it. */
  readonly fault?: string;
  /** True when the value is base64 of what is itself plain base64 or hex of a key: encoded once too often. */
  readonly doubleBase64: boolean;
  /** Bytes once decoded from hex or base64; 0 when it is neither. */
  readonly decodedBytes: number;
}

export interface KeySecretView {
  readonly present: boolean;
  /** Uid and resourceVersion: tells a change, and nothing of the key. */
  readonly version: string;
  readonly immutable: boolean;
  /** Changes with every write to the Secret. */
  readonly resourceVersion?: string;
  readonly unsealKey: KeyShape;
  readonly rootToken: KeyShape;
  /** Managers of the Secret's fields, such as "kustomize-controller": who could overwrite it. */
  readonly managers: readonly string[];
  readonly owner?: string;
}

const ABSENT: KeyShape = { present: false, doubleBase64: false, decodedBytes: 0 };

export function keySecretView(object: unknown, unsealKey: string, rootToken: string): KeySecretView {
  const managers = at(object, "metadata", "managedFields");
  return {
    present: object !== undefined,
    version: `${textAt(object, "metadata", "uid") ?? "?"}/${textAt(object, "metadata", "resourceVersion") ?? "?"}`,
    immutable: booleanAt(object, "immutable") === true,
    resourceVersion: textAt(object, "metadata", "resourceVersion"),
    unsealKey: shapeOf(at(object, "data", unsealKey), true),
    rootToken: shapeOf(at(object, "data", rootToken), false),
    managers: Array.isArray(managers)
      ? [...new Set(managers.slice(0, 100).map((one: unknown) => textAt(one, "manager") ?? "?"))].sort()
      : [],
    owner: labelsAt(object, "metadata", "labels")["kustomize.toolkit.fluxcd.io/name"],
  };
}

/** The newest proof of step key-proof, held against the key that the Secret holds now. */
export interface KeyProofView {
  /** RFC 3339. */
  readonly provenAt: string;
  readonly sameKey: boolean;
}

/** Undefined when the journal has no proof. Only the verdict leaves this function. */
export function keyProofView(
  secret: unknown,
  unsealKey: string,
  journal: readonly JournalEntry[],
): KeyProofView | undefined {
  const proof = newestProof(journal);
  const store = textAt(proof, "observed", "store");
  if (proof === undefined || store === undefined) return undefined;
  const text = decoded(at(secret, "data", unsealKey));
  const fingerprint = text === undefined ? undefined : keyFingerprint(text, store);
  return {
    provenAt: proof.time,
    sameKey: fingerprint !== undefined && fingerprint === textAt(proof, "observed", "fingerprint"),
  };
}

/** The token for a read in memory; undefined when it cannot be one. It goes into no snapshot. */
export function tokenOf(object: unknown, key: string): string | undefined {
  const text = decoded(at(object, "data", key));
  return text === undefined || faultOfKey(text) !== undefined ? undefined : text;
}

function decoded(value: unknown): string | undefined {
  return typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : undefined;
}

function shapeOf(value: unknown, isKey: boolean): KeyShape {
  const text = decoded(value);
  if (text === undefined) return ABSENT;
  const plain = text.trim();
  const inner = isBase64(plain) ? Buffer.from(plain, "base64").toString("utf8").trim() : "";
  const doubleBase64 = isKey ? keyBytes(inner) >= 16 : /^(?:s|b|hvs|sbr)\.[\x21-\x7e]{8,}$/.test(inner);
  return {
    present: true,
    fault: faultOfKey(text),
    doubleBase64,
    decodedBytes: isKey ? keyBytes(plain) : 0,
  };
}

/** Length of the key that `bao operator init` prints as hex or base64; 0 when the text is neither. */
function keyBytes(text: string): number {
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return text.length / 2;
  return isBase64(text) ? Buffer.from(text, "base64").length : 0;
}

function isBase64(text: string): boolean {
  return (
    text.length > 0 && text.length <= 4096 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  );
}
