import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { parseAllDocuments, type Document } from "yaml";
import type { HeldKeys, KeySecretRef } from "../cluster/keySecret";
import { refusal } from "./landRefusal";

/** A Secret as a file says it; its values may be ciphertext. */
export interface SecretManifest {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly [field: string]: unknown };
  readonly data?: Readonly<Record<string, unknown>>;
  readonly stringData?: Readonly<Record<string, unknown>>;
  readonly sops?: unknown;
  readonly [field: string]: unknown;
}

/** Keys of one generation. */
export type Keys = Pick<HeldKeys, "unsealKey" | "rootToken">;

const CIPHERTEXT = /^ENC\[AES256_GCM,data:[^,\]]*,iv:[^,\]]+,tag:[^,\]]+,type:[a-z]+\]$/;
const RECIPIENT = /\bage1[0-9a-z]{20,}\b/g;

/** @throws LandRefusal for anything but one Secret of that name, with what SOPS encrypts left in the open. */
export function parseSecret(text: string, file: string, name: string): SecretManifest {
  const expected = `one Secret "${name}"`;
  const parsed = parseAllDocuments(text) as Document[];
  const object = parsed.length === 1 ? (parsed[0]!.toJS({ maxAliasCount: 100 }) as unknown) : undefined;
  if (!Array.isArray(parsed) || parsed.length !== 1 || parsed[0]!.errors.length > 0)
    throw refusal(file, `${parsed.length} documents, or no YAML`, expected, "give it a file of its own");
  const secret = object as SecretManifest | null;
  if (secret?.kind === "Secret" && secret.metadata?.name === name) return secret;
  const hidden = [secret?.kind, secret?.metadata?.name].some((one) => CIPHERTEXT.test(String(one)));
  throw refusal(
    file,
    hidden ? "a kind or name that is encrypted too" : "another object",
    expected,
    hidden ? "set encrypted_regex to ^(data|stringData)$ in the rule of .sops.yaml" : "correct git.keySecret",
  );
}

/** The stored keys of a decrypted Secret; undefined when it has no unseal key. */
export function keysIn(secret: SecretManifest, ref: KeySecretRef): Partial<Keys> | undefined {
  const held = (key: string): string | undefined => {
    const plain = secret.stringData?.[key];
    if (typeof plain === "string") return plain;
    const encoded = secret.data?.[key];
    return typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : undefined;
  };
  const unsealKey = held(ref.unsealKey);
  const rootToken = held(ref.rootToken);
  return unsealKey === undefined ? undefined : { unsealKey, ...(rootToken !== undefined && { rootToken }) };
}

/** Compares by digests under a key that is thrown away; a copy may hold the unseal key alone. */
export function sameGeneration(copy: Partial<Keys>, live: Keys): boolean {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac("sha256", key).update(text).digest();
  const equal = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));
  const token = copy.rootToken === undefined || equal(copy.rootToken, live.rootToken);
  return equal(copy.unsealKey ?? "", live.unsealKey) && token;
}

/** The Secret with these keys: what `before` has besides stays, and keys that it does not keep are not added. */
export function manifestOf(
  before: SecretManifest | undefined,
  ref: KeySecretRef,
  namespace: string,
  keys: Keys,
): SecretManifest {
  const values = { [ref.unsealKey]: keys.unsealKey, [ref.rootToken]: keys.rootToken };
  if (before === undefined)
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: ref.name, namespace },
      type: "Opaque",
      stringData: values,
    };
  const { sops: _sops, ...kept } = before;
  const filled = (of: Readonly<Record<string, unknown>>, encode: (text: string) => string) =>
    Object.fromEntries(
      Object.entries(of).map(([key, value]) => [
        key,
        values[key] === undefined ? value : encode(values[key]),
      ]),
    );
  return {
    ...kept,
    ...(before.data && { data: filled(before.data, (text) => Buffer.from(text).toString("base64")) }),
    ...(before.stringData && { stringData: filled(before.stringData, (text) => text) }),
  };
}

/**
 * What is wrong with an encrypted Secret, in words without its values; none when every value is ciphertext, each age
 * recipient is one that the rules name, and the authentication code is there.
 * @param rules text of the .sops.yaml.
 */
export function faultsOfEncrypted(secret: SecretManifest, ref: KeySecretRef, rules: string): string[] {
  const values = { ...secret.data, ...secret.stringData };
  const open = Object.entries(values).filter(([, value]) => !CIPHERTEXT.test(String(value)));
  const meta = (secret.sops ?? {}) as { age?: unknown; mac?: unknown; lastmodified?: unknown };
  const age = (Array.isArray(meta.age) ? meta.age : []) as { recipient?: unknown; enc?: unknown }[];
  const named = new Set(rules.match(RECIPIENT) ?? []);
  const strangers = age.filter(({ recipient }) => !named.has(String(recipient)));
  return [
    ...(values[ref.unsealKey] === undefined ? [`no key "${ref.unsealKey}"`] : []),
    ...open.map(([key]) => `key "${key}" not encrypted`),
    ...(age.length === 0 ? ["no age recipient"] : []),
    ...strangers.map(
      ({ recipient }) => `a recipient that .sops.yaml does not name (${String(recipient).slice(0, 70)})`,
    ),
    ...(age.some(({ enc }) => !/^-----BEGIN AGE ENCRYPTED FILE-----\n/.test(String(enc)))
      ? ["a data key that is no age file"]
      : []),
    ...(CIPHERTEXT.test(String(meta.mac)) ? [] : ["no authentication code (sops.mac)"]),
    ...(Number.isNaN(Date.parse(String(meta.lastmodified))) ? ["no sops.lastmodified"] : []),
  ];
}

/** True when the text holds one of the two, plain, in base64 or in hex. */
export function showsKey(text: string, { unsealKey, rootToken }: Keys): boolean {
  // What else was read with them, such as the Secret's resourceVersion, may stand in any text.
  return [unsealKey, rootToken].some((key) =>
    [key, Buffer.from(key).toString("base64").replace(/=+$/, ""), Buffer.from(key).toString("hex")].some(
      (form) => text.includes(form),
    ),
  );
}

/** Names of age recipients of the file. */
export function recipientsOf(secret: SecretManifest): string[] {
  const { age } = (secret.sops ?? {}) as { age?: { recipient?: unknown }[] };
  return (Array.isArray(age) ? age : []).map(({ recipient }) => String(recipient));
}
