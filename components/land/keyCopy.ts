import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import type { KeySecretRef } from "../cluster/keySecret";
import { committed } from "./changeSet";
import { assertUsable, readCheckoutState, type CheckoutState } from "./checkoutState";
import { commitFiles, identity, switchTo } from "./commit";
import { git } from "./git";
import { refusal, type LandRefusal } from "./landRefusal";
import { draftOf, refuseOthers } from "./leftovers";
import { decryptObject, encryptObject, ruleFile } from "./sops";
import {
  faultsOfEncrypted,
  keysIn,
  manifestOf,
  parseSecret,
  recipientsOf,
  sameGeneration,
  showsKey,
  type Keys,
  type SecretManifest,
} from "./sopsSecret";

export const KEY_COPY_SUBJECT = "feat(openbao): keep the new unseal key, encrypted by SOPS";

/** Where the encrypted copy of the key Secret lies. */
export interface KeyCopyPlace {
  readonly checkout: string;
  /** Branch that it is read from and written to; the current commit where it is not there. */
  readonly branch: string;
  readonly file: string;
  readonly namespace: string;
  readonly secret: KeySecretRef;
}

/** What the committed copy holds, against the live keys. */
export interface SeenCopy {
  /** "old": the generation that was given as such. "unreadable": encrypted, and no identity of this user opens it. */
  readonly state: "missing" | "same" | "old" | "differs" | "unreadable";
  /** SHA-256 of the file, which is ciphertext. */
  readonly sha256?: string;
  readonly recipients?: readonly string[];
}

/**
 * Compares the committed copy with the live keys, in memory.
 * @throws LandRefusal for a copy that is not encrypted as the checkout's rules say, or is no Secret of that name.
 */
export async function seeKeyCopy(place: KeyCopyPlace, live: Keys, old?: Keys): Promise<SeenCopy> {
  const checkout = resolve(place.checkout);
  const { known } = await readCheckoutState(checkout, place.branch);
  const text = await committed(checkout, known ? `refs/heads/${place.branch}` : "HEAD", place.file);
  return text === undefined ? { state: "missing" } : await judged(place, text, live, old);
}

/** The program, the rules and the place, tried with placeholders. @throws LandRefusal that says what is wrong */
export async function tryKeySink(place: KeyCopyPlace): Promise<void> {
  const checkout = resolve(place.checkout);
  assertPlain(checkout, place.file);
  await encrypted(place, undefined, {
    unsealKey: "placeholder-of-a-key",
    rootToken: "placeholder-of-a-token",
  });
}

/**
 * Writes the keys, encrypted, as one commit on the branch, and reads them back from it. Plaintext is in no file.
 * @param noted SHA-256 of ciphertexts that earlier runs said they would write; what a killed one left is committed.
 * @param note is told the SHA-256 before the file is written.
 * @throws LandRefusal; the branch is then as it was.
 */
export async function writeKeyCopy(
  place: KeyCopyPlace,
  keys: Keys,
  noted: ReadonlySet<string>,
  note: (sha256: string) => Promise<void>,
): Promise<SeenCopy> {
  const checkout = resolve(place.checkout);
  const state = await readCheckoutState(checkout, place.branch);
  assertUsable(state, place.branch);
  const left = leftByUs(state, checkout, place.file, noted);
  if (state.current !== place.branch) await switchTo(checkout, place.branch, state.known);
  assertPlain(checkout, place.file);
  if (!left) {
    const before = await committed(checkout, "HEAD", place.file);
    const text = await encrypted(place, before, keys);
    await note(digest(text));
    replaceCipher(join(checkout, place.file), text);
  }
  const file = normalize(place.file);
  const tracked = (await git(checkout, "--literal-pathspecs", "ls-tree", "HEAD", "--", file)) !== "";
  await commitFiles(checkout, [file], tracked ? [] : [file], KEY_COPY_SUBJECT, await identity(checkout));
  const text = await committed(checkout, "HEAD", place.file);
  const seen = text === undefined ? undefined : await judged(place, text, keys);
  if (seen === undefined || !["same", "unreadable"].includes(seen.state))
    throw refusal(
      place.file,
      "a commit that does not hold the live keys",
      "the same keys",
      "look at it, run again",
    );
  return seen;
}

/** The ciphertext for these keys, checked before it is in any file. */
async function encrypted(place: KeyCopyPlace, before: string | undefined, keys: Keys): Promise<string> {
  const { file, secret, namespace } = place;
  const target = { checkout: resolve(place.checkout), file };
  const base = before === undefined ? undefined : await openedBase(place, before);
  const text = await encryptObject(target, manifestOf(base, secret, namespace, keys));
  const made = parseSecret(text, file, secret.name);
  const faults = faultsOfEncrypted(made, secret, readFileSync(ruleFile(target), "utf8"));
  if (showsKey(text, keys)) faults.push("a key in the open");
  if (faults.length > 0) throw wrong(file, `encrypted text with ${faults.join(", ")}`);
  return text;
}

/** What to keep of the file that is there. Without an identity only what is in the open can be kept. */
async function openedBase(place: KeyCopyPlace, text: string): Promise<SecretManifest | undefined> {
  const { file, secret } = place;
  const held = parseSecret(text, file, secret.name);
  const opened = (await decryptObject(file, text)) as SecretManifest | undefined;
  if (opened !== undefined) return opened;
  const own = [secret.unsealKey, secret.rootToken];
  const others = Object.keys({ ...held.data, ...held.stringData }).filter((key) => !own.includes(key));
  if (others.length === 0 && !JSON.stringify(held.metadata).includes("ENC[AES256_GCM")) return held;
  throw refusal(
    file,
    `other encrypted values (${others.slice(0, 5).join(", ") || "in its metadata"}) that no identity here opens`,
    "the age identity, to keep them",
    "set SOPS_AGE_KEY_FILE, or give the key Secret a file of its own",
  );
}

async function judged(place: KeyCopyPlace, text: string, live: Keys, old?: Keys): Promise<SeenCopy> {
  const { file, secret } = place;
  const held = parseSecret(text, file, secret.name);
  const rules = readFileSync(ruleFile({ checkout: resolve(place.checkout), file }), "utf8");
  const faults = faultsOfEncrypted(held, secret, rules);
  if (faults.length > 0) throw wrong(file, faults.join(", "));
  const about = { sha256: digest(text), recipients: recipientsOf(held) };
  const opened = (await decryptObject(file, text)) as SecretManifest | undefined;
  if (opened === undefined) return { state: "unreadable", ...about };
  const keys = keysIn(opened, secret) ?? {};
  if (sameGeneration(keys, live)) return { state: "same", ...about };
  const isOld = old !== undefined && sameGeneration(keys, old);
  return { state: isOld ? "old" : "differs", ...about };
}

/** True when the tree holds the file of a run that was killed before its commit; its draft is removed. */
function leftByUs(state: CheckoutState, checkout: string, file: string, noted: ReadonlySet<string>): boolean {
  const path = normalize(file);
  const draft = draftOf(path);
  let left = false;
  const others: string[] = [];
  for (const change of state.changes) {
    const full = join(checkout, change.path);
    if (change.path === draft && change.state === "??") rmSync(full, { force: true });
    else if (change.path === path && lstatSync(full, { throwIfNoEntry: false })?.isFile() === true) {
      left = noted.has(digest(readFileSync(full, "utf8")));
      if (!left) others.push(change.path);
    } else others.push(change.path);
  }
  refuseOthers(checkout, { edited: [], made: [], drafts: [], others });
  return left;
}

/** No link on the way, which could lead out of the checkout. */
function assertPlain(checkout: string, file: string): void {
  const parts = normalize(file).split("/");
  parts.forEach((_, at) => {
    const path = join(checkout, ...parts.slice(0, at + 1));
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const last = at === parts.length - 1;
    if (stat === undefined || (last ? stat.isFile() : stat.isDirectory())) return;
    throw refusal(
      path,
      "a link, or another kind of file",
      last ? "a plain file" : "a folder",
      "name the real file",
    );
  });
}

/** Mode 0600 until it has its place, and at once or not at all. */
function replaceCipher(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = draftOf(path);
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
  renameSync(draft, path);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function wrong(file: string, found: string): LandRefusal {
  return refusal(
    file,
    found,
    "a Secret whose values are all encrypted to the age recipients of .sops.yaml",
    "correct the creation rule (encrypted_regex ^(data|stringData)$), or encrypt the file anew by sops",
  );
}
