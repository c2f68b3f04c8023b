import { objectIn, type JsonObject } from "./inventoryReader";
import type { EntryKind, InventoryWalk, Place } from "./inventoryWalk";
import { settled, without } from "./settledFields";

interface Collection {
  /** Path that is listed, below the mount. */
  readonly list: string;
  /** Path prefix that each item is read at; left out where only the names may be compared. */
  readonly item?: string;
  /** Further reads below each item. */
  readonly also?: readonly string[];
  /** Fields that move by themselves, follow from other entries, or are the node's own. */
  readonly drop?: readonly string[];
}

interface Shape {
  /** Paths below the mount that are read as one entry each; an unset one is left out. */
  readonly settings?: readonly string[];
  readonly collections?: readonly Collection[];
}

const named = (list: string): Collection => ({ list, item: `${list}/` });

const JWT: Shape = { settings: ["config"], collections: [named("role")] };

/** What is read of each known type of auth method. */
export const AUTH_SHAPES: Readonly<Record<string, Shape>> = {
  approle: { collections: [{ list: "role", item: "role/", also: ["role-id"] }] },
  cert: { settings: ["config"], collections: [named("certs")] },
  jwt: JWT,
  kerberos: { settings: ["config", "config/ldap"], collections: [named("groups")] },
  kubernetes: { settings: ["config"], collections: [named("role")] },
  ldap: { settings: ["config"], collections: [named("users"), named("groups")] },
  oidc: JWT,
  radius: { settings: ["config"], collections: [named("users")] },
  token: { collections: [named("roles")] },
  userpass: { collections: [named("users")] },
};

/** What is read of each known type of secrets engine without making a lease; KV and transit have readers of their own. */
export const ENGINE_SHAPES: Readonly<Record<string, Shape>> = {
  database: { collections: [{ list: "config" }, { list: "roles" }, { list: "static-roles" }] },
  pki: {
    settings: ["config/issuers", "config/keys", "config/urls", "config/crl", "config/auto-tidy"],
    collections: [{ list: "issuers", item: "issuer/" }, { list: "keys", item: "key/" }, named("roles")],
  },
  ssh: { settings: ["config/ca"], collections: [named("roles")] },
  totp: { collections: [named("keys")] },
};

/** A login updates last_update_time, and nothing else. */
const MOVING = ["last_update_time"];
/** A server counts this on at each start for every group that it loads (seen with 2.4.0). */
const COUNTED_AT_START = ["modify_index"];
/** Aliases and groups are entries of their own, and name the entity. */
const OF_OTHERS = ["aliases", "direct_group_ids", "inherited_group_ids", "group_ids"];

export const IDENTITY_SHAPE: Shape = {
  collections: [
    { list: "entity/id", item: "entity/id/", drop: [...MOVING, ...OF_OTHERS] },
    { list: "group/id", item: "group/id/", drop: [...MOVING, ...COUNTED_AT_START, "alias"] },
    { list: "entity-alias/id", item: "entity-alias/id/", drop: MOVING },
    { list: "group-alias/id", item: "group-alias/id/", drop: MOVING },
    named("oidc/key"),
    named("oidc/role"),
    named("oidc/client"),
    // Without one of its own a provider's issuer is the address of the node that answers.
    { ...named("oidc/provider"), drop: ["issuer"] },
    named("oidc/scope"),
    named("oidc/assignment"),
  ],
};

/** Reads settings and collections of one mount as `shape` says. */
export function readShape(walk: InventoryWalk, kind: EntryKind, mount: string, shape: Shape): void {
  for (const path of shape.settings ?? []) walk.later(() => readSetting(walk, { kind, mount, path }));
  for (const collection of shape.collections ?? []) readCollection(walk, kind, mount, collection);
}

/** Reads every key of a transit mount: its settings and, for each version, when it was made or its public half. */
export function readTransit(walk: InventoryWalk, mount: string): void {
  walk.later(() => readSetting(walk, { kind: "engine-item", mount, path: "config/keys" }));
  walk.later(async () => {
    for (const key of await names(walk, mount, "keys")) {
      walk.later(() => readTransitKey(walk, { kind: "transit-key", mount, path: `keys/${key}` }));
    }
  });
}

async function readTransitKey(walk: InventoryWalk, place: Place): Promise<void> {
  const { status, data } = await walk.read(place.mount + place.path);
  if (status === 404) return walk.vanished();
  if (status !== 200) return walk.noteUnreadable(place);
  const versions = objectIn(data, "keys");
  const settings: JsonObject = without(data, ["keys", "latest_version"]);
  const numbers = Object.keys(versions).sort((a, b) => Number(a) - Number(b));
  const digests = numbers.map((n) => `${n}:l:${walk.digestAt(place, n, versions[n])}`);
  walk.note(
    place,
    [`c:${walk.digestAt(place, "c", settled(settings))}`, ...digests],
    Number(data["latest_version"] ?? 0),
  );
}

async function readSetting(walk: InventoryWalk, place: Place): Promise<void> {
  const { status, data } = await walk.read(place.mount + place.path);
  // Never set: 404, 400 or an empty answer by type; other versions of the server lack the path (405).
  if ([204, 400, 404, 405].includes(status)) return;
  if (status === 200) walk.noteContent(place, settled(data));
  else walk.noteUnreadable(place);
}

function readCollection(walk: InventoryWalk, kind: EntryKind, mount: string, collection: Collection): void {
  walk.later(async () => {
    for (const key of await names(walk, mount, collection.list)) {
      if (collection.item === undefined) {
        walk.noteContent({ kind, mount, path: `${collection.list}/${key}` }, null);
        continue;
      }
      const path = collection.item + key;
      walk.later(() => walk.noteRead({ kind, mount, path }, (data) => settled(data, collection.drop)));
      for (const also of collection.also ?? []) {
        walk.later(() => walk.noteRead({ kind, mount, path: `${path}/${also}` }, settled));
      }
    }
  });
}

async function names(walk: InventoryWalk, mount: string, path: string): Promise<readonly string[]> {
  const { status, keys } = await walk.list(mount + path);
  if (status === 200) return keys;
  if (status !== 404) walk.leaveOut(`${mount}${path} (LIST answered ${status})`);
  return [];
}
