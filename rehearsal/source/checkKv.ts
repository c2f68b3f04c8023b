import { isDeepStrictEqual } from "node:util";
import type { BaoSession } from "./baoSession";
import { urlPath } from "./baoSession";
import { KV1_MOUNT, KV2_MOUNT, kvEntry, type KvEntry } from "./content";
import { inParallel } from "./inParallel";

const LANES = 8;
const SHOWN = 20;

/** Entries that are checked whatever `every` says: the odd names, the large values, each fate. */
const ALWAYS = 200;

/**
 * Makes entries 0 to `keys` - 1 of `seed` again and compares each version with what the server holds now.
 * @param every checks the first 200 entries and each so-manieth of the others. @default 1
 * @returns one line for each difference (at most 20), without any value; empty when all is as loaded.
 */
export async function checkKv(root: BaoSession, seed: string, keys: number, every = 1): Promise<string[]> {
  const differences: string[] = [];
  await inParallel(indices(keys, every), LANES, async (index) => {
    if (differences.length >= SHOWN) return;
    const entry = kvEntry(seed, index);
    differences.push(...(await differencesOf(root.inNamespace(entry.namespace), entry)));
  });
  return differences.slice(0, SHOWN);
}

function* indices(keys: number, every: number): Generator<number> {
  for (let index = 0; index < keys; index++) if (index < ALWAYS || index % every === 0) yield index;
}

async function differencesOf(session: BaoSession, entry: KvEntry): Promise<string[]> {
  const path = urlPath(entry.path);
  const name = `${entry.namespace}:${entry.mount}/${entry.path}`;
  if (entry.mount === KV1_MOUNT) {
    const answer = await session.reply("GET", `${KV1_MOUNT}/${path}`, undefined, [404]);
    return same(dataOf(answer.body), entry.versions[0]) ? [] : [`${name}: found other data or none`];
  }
  const answer = await session.reply("GET", `${KV2_MOUNT}/metadata/${path}`, undefined, [404]);
  if (entry.fate === "metadata-deleted") {
    return answer.status === 404 ? [] : [`${name}: found metadata, expected none`];
  }
  const current = (dataOf(answer.body) as { current_version?: number } | undefined)?.current_version;
  if (current !== entry.versions.length) {
    return [`${name}: found version ${current ?? "none"}, expected ${entry.versions.length}`];
  }
  const differences: string[] = [];
  for (const [at, data] of entry.versions.entries()) {
    const version = at + 1;
    const gone =
      (entry.fate === "first-destroyed" && version === 1) ||
      (entry.fate === "latest-deleted" && version === entry.versions.length);
    const read = await session.reply("GET", `${KV2_MOUNT}/data/${path}?version=${version}`, undefined, [404]);
    const held = (dataOf(read.body) as { data?: unknown } | undefined)?.data ?? undefined;
    if (gone ? held !== undefined : !same(held, data)) {
      differences.push(`${name} version ${version}: found ${held === undefined ? "nothing" : "other data"}`);
    }
  }
  return differences;
}

function dataOf(body: unknown): unknown {
  return (body as { data?: unknown } | undefined)?.data;
}

function same(held: unknown, made: unknown): boolean {
  return isDeepStrictEqual(held, made);
}
