/** A value as it travels between the engine and a provider: plain JSON with tagged objects for secrets and assets. */
export type WireValue =
  null | boolean | number | string | readonly WireValue[] | { readonly [key: string]: WireValue };

/** Property bag of a resource. */
export type WireObject = { readonly [key: string]: WireValue };

// Fixed by Pulumi's wire format: the key that marks a tagged object, and the tag of a secret.
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** Stands for a value that only the update will know. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Tells whether a value is the secret wrapper. */
export function isSecret(value: WireValue | undefined): boolean {
  return isObject(value) && value[SIGNATURE_KEY] === SECRET_SIGNATURE;
}

/** Tells whether a value is a plain object: no list, no null. */
export function isObject(value: WireValue | undefined): value is WireObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Takes secret wrappers off at every depth: for running the command only, never for what goes back to the engine. */
export function reveal(value: WireValue | undefined): WireValue | undefined {
  if (value === undefined) return undefined;
  if (isSecret(value)) return reveal((value as WireObject)["value"]);
  if (Array.isArray(value)) return value.map((item) => reveal(item as WireValue) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item) ?? null]));
}
