import { randomBytes } from "node:crypto";
import { KubeError, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import type { Inventory } from "./inventory";
import { packInventory, unpackInventory, type InventoryHeader } from "./inventoryChunks";

const PREFIX = "openbao-raft-migration-inventory";
const KEY_NAME = `${PREFIX}-key`;
const KEY_BYTES = 32;
const MANAGED = { "app.kubernetes.io/managed-by": "openbao-raft-migration" };
/** Which inventory a Secret belongs to; the key Secret has the value "key". */
const LABEL = "openbao-raft-migration/inventory";

interface SecretObject extends KubeObject {
  type?: string;
  immutable?: boolean;
  data?: Record<string, string>;
}

interface Index {
  readonly generation: string;
  readonly header: InventoryHeader;
}

/**
 * The key of this migration's digests: made once in the cluster and never overwritten, so that every process compares
 * with the same one.
 * @throws Error when the Secret exists and holds no key of 32 bytes.
 */
export async function inventoryKey(kube: KubeClient, namespace: string): Promise<Buffer> {
  const path = secretPath(namespace, KEY_NAME);
  let secret = await kube.find<SecretObject>(path);
  if (secret === undefined) {
    try {
      const data = { key: randomBytes(KEY_BYTES).toString("base64") };
      await kube.create(secretPath(namespace), secretOf(namespace, KEY_NAME, "key", data, true));
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 409)) throw error;
    }
    // Read back: of two creators only one has won, and only what the cluster holds counts.
    secret = await kube.get<SecretObject>(path);
  }
  const key = Buffer.from(secret.data?.["key"] ?? "", "base64");
  if (key.length !== KEY_BYTES) {
    throw new Error(
      `Secret ${namespace}/${KEY_NAME} holds ${key.length} bytes under "key", expected ${KEY_BYTES}; delete it and take the inventories again`,
    );
  }
  return key;
}

/**
 * Writes the inventory under `label`, chunks first and the index last: a reader sees the old one or the new one whole.
 * @param label DNS label of up to 20 characters, such as "before".
 */
export async function saveInventory(
  kube: KubeClient,
  namespace: string,
  label: string,
  inventory: Inventory,
): Promise<void> {
  const generation = randomBytes(4).toString("hex");
  const { header, chunks } = packInventory(inventory);
  for (const [n, chunk] of chunks.entries()) {
    const data = { entries: chunk.toString("base64") };
    const secret = secretOf(namespace, chunkName(label, generation, n), label, data, true);
    await kube.create(secretPath(namespace), secret);
  }
  const index: Index = { generation, header };
  const data = { index: Buffer.from(JSON.stringify(index)).toString("base64") };
  await putIndex(kube, secretOf(namespace, indexName(label), label, data, false));
  const keep = new Set([indexName(label), ...chunks.map((_, n) => chunkName(label, generation, n))]);
  await removeSecrets(kube, namespace, `${LABEL}=${label}`, (name) => !keep.has(name));
}

/** The inventory under `label`, or undefined when none was saved. @throws Error when it is not whole. */
export async function loadInventory(
  kube: KubeClient,
  namespace: string,
  label: string,
): Promise<Inventory | undefined> {
  for (let attempt = 1; ; attempt++) {
    const secret = await kube.find<SecretObject>(secretPath(namespace, indexName(label)));
    if (secret === undefined) return undefined;
    const index = JSON.parse(decoded(secret, "index").toString("utf8")) as Index;
    try {
      const chunks: Buffer[] = [];
      for (const n of index.header.chunks.keys()) {
        const path = secretPath(namespace, chunkName(label, index.generation, n));
        chunks.push(decoded(await kube.get<SecretObject>(path), "entries"));
      }
      return unpackInventory({ header: index.header, chunks });
    } catch (error) {
      // Replaced between the two reads: its chunks are gone, and the index names the new ones.
      const replaced = error instanceof KubeError && error.status === 404 && attempt < 3;
      if (!replaced) throw error;
    }
  }
}

/** Deletes every saved inventory, and at last the key. */
export async function removeInventories(kube: KubeClient, namespace: string): Promise<void> {
  await removeSecrets(kube, namespace, LABEL, (name) => name !== KEY_NAME);
  await removeSecrets(kube, namespace, LABEL, (name) => name === KEY_NAME);
}

async function putIndex(kube: KubeClient, secret: SecretObject): Promise<void> {
  const { namespace = "", name = "" } = secret.metadata ?? {};
  try {
    await kube.create(secretPath(namespace), secret);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 409)) throw error;
    await kube.replace(secretPath(namespace, name), secret);
  }
}

async function removeSecrets(
  kube: KubeClient,
  namespace: string,
  labelSelector: string,
  which: (name: string) => boolean,
): Promise<void> {
  const found = await kube.list<SecretObject>(secretPath(namespace), { labelSelector });
  for (const name of found.map((secret) => secret.metadata?.name ?? "").filter(which)) {
    try {
      await kube.remove(secretPath(namespace, name));
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 404)) throw error;
    }
  }
}

function secretOf(
  namespace: string,
  name: string,
  label: string,
  data: Record<string, string>,
  immutable: boolean,
): SecretObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: { ...MANAGED, [LABEL]: label } },
    type: "Opaque",
    ...(immutable && { immutable }),
    data,
  };
}

function decoded(secret: SecretObject, field: string): Buffer {
  return Buffer.from(secret.data?.[field] ?? "", "base64");
}

function secretPath(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/secrets${name === undefined ? "" : `/${name}`}`;
}

function indexName(label: string): string {
  if (!/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(label) || label === "key") {
    throw new Error(
      `inventory label "${label}" is not usable; expected 1 to 20 of a-z, 0-9 and "-", not "key"`,
    );
  }
  return `${PREFIX}-${label}`;
}

function chunkName(label: string, generation: string, n: number): string {
  return `${indexName(label)}-${generation}-${n}`;
}
