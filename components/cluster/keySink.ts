import { setTimeout as delay } from "node:timers/promises";
import type { InitKeys } from "./initOnce";
import { PLACEHOLDER, type KeySecretRef } from "./keySecret";
import { isPassing, KubeError, type KubeClient, type KubeObject } from "./kubeClient";

const MANAGED = { "app.kubernetes.io/managed-by": "openbao-raft-migration" };
/** An API server that is being replaced may be away for half a minute (hazard F11). */
const KEEP_TRYING_SECONDS = 120;

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
 * @param seconds so long the write is tried again while the API server is away
 * @throws SinkTaken; KubeError when the Secret cannot be written.
 */
export async function provenSink(
  kube: KubeClient,
  namespace: string,
  ref: KeySecretRef,
  seconds = KEEP_TRYING_SECONDS,
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
  return (keys) => writeForSure(kube, namespace, ref, keys, seconds, () => write(keys, false));
}

/** The keys exist only here: a passing failure is tried again, and a lost place gives way to another Secret. */
async function writeForSure(
  kube: KubeClient,
  namespace: string,
  ref: KeySecretRef,
  keys: InitKeys,
  seconds: number,
  write: () => Promise<unknown>,
): Promise<void> {
  if (await written(write, () => holds(kube, namespace, ref.name, ref, keys), seconds)) return;
  const name = `${ref.name}-init-${Date.now().toString(36)}`;
  const beside = secret(name, {
    [ref.unsealKey]: Buffer.from(keys.unsealKey).toString("base64"),
    [ref.rootToken]: Buffer.from(keys.rootToken).toString("base64"),
  });
  const create = () => kube.create(path(namespace), beside);
  if (!(await written(create, () => holds(kube, namespace, name, ref, keys), seconds))) {
    throw new SinkTaken(
      `neither Secret "${ref.name}" nor one beside it could be written after the init, and the new keys are lost. Run again: it says how that empty store is removed`,
    );
  }
  throw new SinkTaken(
    `Secret "${ref.name}" was taken or could not be written after the init; the new keys are in Secret "${name}". Put them into "${ref.name}", then run again`,
  );
}

/**
 * Writes until what is stored is what was written: the reply of a write that was done may be lost (hazard F13).
 * @returns false when the API server says no, another's content is there, or it stays away for longer than `seconds`
 */
async function written(
  write: () => Promise<unknown>,
  isThere: () => Promise<boolean>,
  seconds: number,
): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  for (let pause = 500; ; pause = Math.min(2 * pause, 5_000)) {
    try {
      const failure = await write().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined && !(failure instanceof KubeError)) throw failure;
      if (await isThere()) return true;
      if (!isPassing(failure)) return false;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (!isPassing(error)) return false;
    }
    if (Date.now() + pause > end) return false;
    await delay(pause);
  }
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
