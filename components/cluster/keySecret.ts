import type { KubeClient, KubeObject } from "./kubeClient";

export interface KeySecretRef {
  readonly name: string;
  readonly unsealKey: string;
  readonly rootToken: string;
}

export interface HeldKeys {
  readonly unsealKey: string;
  readonly rootToken: string;
  /** resourceVersion of the Secret that they were read from. */
  readonly resourceVersion?: string;
}

/** What a key Secret holds before there is a key. */
export const PLACEHOLDER = "REPLACE_AFTER_INIT";

/** The key Secret holds no key. The text names the Secret and its key, never the value. */
export class NoKey extends Error {
  override readonly name = "NoKey";
}

/**
 * Reads the unseal key and the root token into memory.
 * @throws NoKey that names the Secret and its key, never the value (hazard F25).
 */
export async function readKeySecret(
  kube: KubeClient,
  namespace: string,
  ref: KeySecretRef,
): Promise<HeldKeys> {
  const secret = await kube.find<KubeObject & { data?: Record<string, string> }>(
    `/api/v1/namespaces/${namespace}/secrets/${ref.name}`,
  );
  if (secret === undefined) throw new NoKey(`Secret "${ref.name}" was not found in namespace "${namespace}"`);
  const value = (key: string): string => {
    const encoded = secret.data?.[key];
    if (encoded === undefined) throw new NoKey(`Secret "${ref.name}" has no key "${key}"`);
    const text = Buffer.from(encoded, "base64").toString("utf8");
    const fault = faultOfKey(text);
    if (fault !== undefined) throw new NoKey(`key "${key}" of Secret "${ref.name}" ${fault}`);
    return text;
  };
  const resourceVersion = secret.metadata?.resourceVersion;
  return {
    unsealKey: value(ref.unsealKey),
    rootToken: value(ref.rootToken),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

/** What is wrong with a stored key or token, in words that do not hold it; undefined when it looks right. */
export function faultOfKey(text: string): string | undefined {
  if (text === "") return "is empty";
  if (text === PLACEHOLDER) return `is still the placeholder ${PLACEHOLDER}`;
  if (text !== text.trim()) return "has white space or a line break at an end; store it without";
  if (!/^[\x21-\x7e]+$/.test(text)) return "has characters that no key has; store it as plain text";
  return undefined;
}
