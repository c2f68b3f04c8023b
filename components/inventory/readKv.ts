import { encodeSegment, objectIn, type JsonObject, type Listing } from "./inventoryReader";
import type { InventoryWalk, Place } from "./inventoryWalk";
import { without } from "./settledFields";

const PAGE = 1000;
/** Storage keys of Raft end at 32 KiB; a longer path can only be a listing that leads round in a circle. */
const MAX_PATH = 16_384;
/** They follow from the versions, which have digests of their own. */
const DERIVED_FIELDS = ["versions", "current_version", "oldest_version", "updated_time", "created_time"];

/** Reads every entry of a KV version 1 mount. */
export function readKv1(walk: InventoryWalk, mount: string): void {
  readFolder(walk, { kind: "kv1", mount, listed: mount }, "");
}

/** Reads every version of every entry of a KV version 2 mount, and the mount's settings. */
export function readKv2(walk: InventoryWalk, mount: string): void {
  walk.later(() => walk.noteRead({ kind: "engine-item", mount, path: "config" }));
  readFolder(walk, { kind: "kv2", mount, listed: `${mount}detailed-metadata/` }, "");
}

interface Tree {
  readonly kind: "kv1" | "kv2";
  readonly mount: string;
  /** The path that is listed. */
  readonly listed: string;
}

function readFolder(walk: InventoryWalk, tree: Tree, folder: string): void {
  walk.later(async () => {
    let page = await nextPage(walk, tree, folder, undefined);
    while (page.keys.length > 0) {
      for (const key of page.keys) readKey(walk, tree, folder, key, page.info);
      if (page.keys.length !== PAGE) break;
      const following = await nextPage(walk, tree, folder, page.keys[PAGE - 1]);
      // A server that knows no pages sends the same one again.
      if (following.keys[0] === page.keys[0]) break;
      page = following;
    }
  });
}

async function nextPage(
  walk: InventoryWalk,
  tree: Tree,
  folder: string,
  after: string | undefined,
): Promise<Listing> {
  const query = `?limit=${PAGE}${after === undefined ? "" : `&after=${encodeSegment(after)}`}`;
  const listing = await walk.list(tree.listed + folder, query);
  if (listing.status === 200) return listing;
  if (listing.status !== 404) walk.noteUnreadable({ kind: tree.kind, mount: tree.mount, path: folder });
  return { ...listing, keys: [] };
}

function readKey(walk: InventoryWalk, tree: Tree, folder: string, key: string, info: JsonObject): void {
  const place: Place = { kind: tree.kind, mount: tree.mount, path: folder + key };
  // The server folds such segments away: following them would list the parent again and again.
  if (/^(\.{0,2})\/?$/.test(key) || place.path.length > MAX_PATH) walk.noteUnreadable(place);
  else if (key.endsWith("/")) readFolder(walk, tree, place.path);
  else if (tree.kind === "kv1") walk.later(() => walk.noteRead(place));
  else walk.later(() => readVersions(walk, place, objectIn(info, key)));
}

async function readVersions(walk: InventoryWalk, place: Place, listed: JsonObject): Promise<void> {
  let metadata = listed;
  if (typeof metadata["current_version"] !== "number") {
    const reading = await walk.read(`${place.mount}metadata/${place.path}`);
    if (reading.status === 404) return walk.vanished();
    if (reading.status !== 200) return walk.noteUnreadable(place);
    metadata = reading.data;
  }
  const versions = objectIn(metadata, "versions");
  const numbers = Object.keys(versions)
    .filter((n) => /^\d+$/.test(n))
    .sort((a, b) => Number(a) - Number(b));
  const digests = [`c:${walk.digestAt(place, "c", without(metadata, DERIVED_FIELDS))}`];
  for (const n of numbers) digests.push(await versionDigest(walk, place, n, objectIn(versions, n)));
  walk.note(place, digests, Number(metadata["current_version"]));
}

async function versionDigest(
  walk: InventoryWalk,
  place: Place,
  n: string,
  flags: JsonObject,
): Promise<string> {
  const known = stateOf(flags);
  if (known !== "live") return `${n}:${known}`;
  const { status, data } = await walk.read(`${place.mount}data/${place.path}`, `?version=${n}`);
  if (status === 200) return `${n}:l:${walk.digestAt(place, n, data["data"])}`;
  // Deleted since it was listed, or damaged: the reply's own flags tell.
  const now = status === 404 ? stateOf(objectIn(data, "metadata")) : "live";
  return `${n}:${now === "live" ? "u" : now}`;
}

function stateOf(flags: JsonObject): "live" | "d" | "x" {
  if (flags["destroyed"] === true) return "x";
  const deletion = flags["deletion_time"];
  // With delete_version_after the time of deletion is known long before.
  if (typeof deletion === "string" && deletion !== "" && Date.parse(deletion) <= Date.now()) return "d";
  return "live";
}
