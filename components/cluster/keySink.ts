import { setTimeout as delay } from "node:timers/promises";
import type { InitKeys } from "./initOnce";
import { PLACEHOLDER, type KeySecretRef } from "./keySecret";
import { isPassing, KubeError, type KubeClient, type KubeObject } from "./kubeClient";

const MANAGED = { "app.kubernetes.io/managed-by": "openbao-raft-migration" };
const ATTEMPTS = 6;

interface SecretObject extends KubeObject {
  type?: string;
  immutable?: boolean;
  data?: Record<string, string>;
}

/** A place for keys that is taken, or was taken meanwhile. Never holds a key in its text. */
export class SinkTaken extends Error {
  override readonly name = "SinkTaken";
}

/** Name of the Secret that keeps the keys of the store that a reseed replaces. */
export function escrowName(ref: KeySecretRef): string {
  return `${ref.name}-before-reseed`;
}

/**
 * Moves the old store's keys out of the key Secret into an immutable one, proves that copy, and only then puts the
 * placeholder in their place. A second run finds that done.
 * @throws SinkTaken when the copy that is there is of other keys.
 */
export async function vacate(kube: KubeClient, namespace: string, ref: KeySecretRef): Promise<void> {
  const old = await kube.find<SecretObject>(path(namespace, ref.name));
  if (old === undefined || isVacant(old, ref)) return;
  const kept = {
    [ref.unsealKey]: old.data?.[ref.unsealKey] ?? "",
    [ref.rootToken]: old.data?.[ref.rootToken] ?? "",
  };
  const name = escrowName(ref);
  await createIfAbsent(kube, namespace, { ...secret(name, kept), immutable: true });
  const copy = await kube.get<SecretObject>(path(namespace, name));
  if (Object.entries(kept).some(([key, value]) => copy.data?.[key] !== value)) {
    throw new SinkTaken(
      `Secret "${name}" is there and holds other keys than "${ref.name}"; move it away, then run again`,
    );
  }
  const empty = Buffer.from(PLACEHOLDER).toString("base64");
  await kube.mergePatch(path(namespace, ref.name), {
    metadata: { resourceVersion: old.metadata?.resourceVersion },
    data: { [ref.unsealKey]: empty, [ref.rootToken]: empty },
  });
}

/**
 * Proves, by a dry run of the server, that the key Secret can be written, and gives the write. It creates the Secret,
 * or fills a vacant one with its resourceVersion as precondition; one that holds a key is never touched (hazard I2).
 * @throws SinkTaken; KubeError when the Secret cannot be written.
 */
export async function provenSink(
  kube: KubeClient,
  namespace: string,
  ref: KeySecretRef,
): Promise<(keys: InitKeys) => Promise<void>> {
  const seen = await kube.find<SecretObject>(path(namespace, ref.name));
  if (seen !== undefined && !isVacant(seen, ref)) {
    throw new SinkTaken(`Secret "${ref.name}" holds a key already; it is never written over`);
  }
  const write = (keys: InitKeys, dryRun: boolean): Promise<unknown> => {
    const data = {
      [ref.unsealKey]: Buffer.from(keys.unsealKey).toString("base64"),
      [ref.rootToken]: Buffer.from(keys.rootToken).toString("base64"),
    };
    const query: Record<string, string> = dryRun ? { dryRun: "All" } : {};
    if (seen === undefined) return kube.create(path(namespace), secret(ref.name, data), query);
    const metadata = { resourceVersion: seen.metadata?.resourceVersion };
    return kube.mergePatch(path(namespace, ref.name), { metadata, data }, query);
  };
  await write({ unsealKey: PLACEHOLDER, rootToken: PLACEHOLDER }, true);
  return (keys) => writeForSure(kube, namespace, ref, keys, () => write(keys, false));
}

/** The keys exist only here: a passing failure is tried again, and a lost place gives way to another Secret. */
async function writeForSure(
  kube: KubeClient,
  namespace: string,
  ref: KeySecretRef,
  keys: InitKeys,
  write: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      if (await holds(kube, namespace, ref.name, ref, keys)) return;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // The reply of a write that was done may be lost: what is stored counts (hazard F13).
      if (await holds(kube, namespace, ref.name, ref, keys).catch(() => false)) return;
      if (!isPassing(error) || attempt === ATTEMPTS) break;
    }
    if (attempt === ATTEMPTS) break;
    await delay(250 * 2 ** attempt);
  }
  const name = `${ref.name}-init-${Date.now().toString(36)}`;
  await kube.create(
    path(namespace),
    secret(name, {
      [ref.unsealKey]: Buffer.from(keys.unsealKey).toString("base64"),
      [ref.rootToken]: Buffer.from(keys.rootToken).toString("base64"),
    }),
  );
  throw new SinkTaken(
    `Secret "${ref.name}" was taken or could not be written after the init; the new keys are in Secret "${name}". Put them into "${ref.name}", then run again`,
  );
}

async function holds(
  kube: KubeClient,
  namespace: string,
  name: string,
  ref: KeySecretRef,
  keys: InitKeys,
): Promise<boolean> {
  const now = await kube.find<SecretObject>(path(namespace, name));
  return text(now, ref.unsealKey) === keys.unsealKey && text(now, ref.rootToken) === keys.rootToken;
}

function isVacant(object: SecretObject, ref: KeySecretRef): boolean {
  return [ref.unsealKey, ref.rootToken].every((key) => {
    const value = text(object, key);
    return value === "" || value === PLACEHOLDER;
  });
}

function text(object: SecretObject | undefined, key: string): string {
  return Buffer.from(object?.data?.[key] ?? "", "base64").toString("utf8");
}

async function createIfAbsent(kube: KubeClient, namespace: string, object: SecretObject): Promise<void> {
  try {
    await kube.create(path(namespace), object);
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 409) throw error;
  }
}

function secret(name: string, data: Record<string, string>): SecretObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, labels: MANAGED }, type: "Opaque", data };
}

function path(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/secrets${name === undefined ? "" : `/${name}`}`;
}
