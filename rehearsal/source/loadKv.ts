import { setTimeout as delay } from "node:timers/promises";
import type { BaoSession } from "./baoSession";
import { urlPath } from "./baoSession";
import { KV1_MOUNT, KV2_MOUNT, NAMESPACES, kvEntries, type KvEntry } from "./content";
import { inParallel } from "./inParallel";

const LANES = 16;
const UPGRADE_SECONDS = 20;

/** Makes the KV mounts, and the OpenBao namespaces with a KV mount each. */
export async function mountKv(root: BaoSession): Promise<void> {
  await root.call("POST", `sys/mounts/${KV1_MOUNT}`, { type: "kv", options: { version: "1" } });
  await mountKv2(root);
  let parent = root;
  for (const namespace of NAMESPACES) {
    await parent.call("POST", `sys/namespaces/${namespace.split("/").pop()!}`, {});
    parent = root.inNamespace(namespace);
    await mountKv2(parent);
  }
}

/** Writes entries 0 to `keys` - 1 of `seed`. @returns the number of requests. @throws on the first refusal. */
export async function loadKv(
  root: BaoSession,
  seed: string,
  keys: number,
  progress: (done: number) => void,
): Promise<number> {
  let done = 0;
  let requests = 0;
  await inParallel(kvEntries(seed, keys), LANES, async (entry) => {
    const sent = await writeEntry(root.inNamespace(entry.namespace), entry);
    requests += sent;
    progress(++done);
  });
  return requests;
}

async function mountKv2(session: BaoSession): Promise<void> {
  await session.call("POST", `sys/mounts/${KV2_MOUNT}`, { type: "kv", options: { version: "2" } });
  // A new KV v2 mount answers 400 "upgrading" for a moment.
  const end = Date.now() + UPGRADE_SECONDS * 1000;
  for (;;) {
    const answer = await session.reply("GET", `${KV2_MOUNT}/config`, undefined, [400, 500]);
    if (answer.status === 200) return;
    if (Date.now() > end) {
      throw new Error(
        `mount ${KV2_MOUNT}/ answered ${answer.status} for ${UPGRADE_SECONDS} s after it was made, expected 200`,
      );
    }
    await delay(100);
  }
}

async function writeEntry(session: BaoSession, entry: KvEntry): Promise<number> {
  const path = urlPath(entry.path);
  if (entry.mount === KV1_MOUNT) {
    await session.call("POST", `${KV1_MOUNT}/${path}`, entry.versions[0]);
    return 1;
  }
  if (entry.metadata !== undefined)
    await session.call("POST", `${KV2_MOUNT}/metadata/${path}`, entry.metadata);
  for (const data of entry.versions) await session.call("POST", `${KV2_MOUNT}/data/${path}`, { data });
  const requests = await applyFate(session, path, entry);
  return requests + entry.versions.length + (entry.metadata === undefined ? 0 : 1);
}

async function applyFate(session: BaoSession, path: string, entry: KvEntry): Promise<number> {
  const latest = entry.versions.length;
  switch (entry.fate) {
    case "kept":
      return 0;
    case "latest-deleted":
      await session.call("DELETE", `${KV2_MOUNT}/data/${path}`);
      return 1;
    case "undeleted":
      await session.call("DELETE", `${KV2_MOUNT}/data/${path}`);
      await session.call("POST", `${KV2_MOUNT}/undelete/${path}`, { versions: [latest] });
      return 2;
    case "first-destroyed":
      await session.call("PUT", `${KV2_MOUNT}/destroy/${path}`, { versions: [1] });
      return 1;
    case "metadata-deleted":
      await session.call("DELETE", `${KV2_MOUNT}/metadata/${path}`);
      return 1;
  }
}
