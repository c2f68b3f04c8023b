import { objectIn, type JsonObject } from "./inventoryReader";
import type { InventoryWalk, Place } from "./inventoryWalk";
import { AUTH_SHAPES, ENGINE_SHAPES, IDENTITY_SHAPE, readShape, readTransit } from "./readCollections";
import { readKv1, readKv2 } from "./readKv";

const MOUNT_IDENTITY = ["uuid", "accessor", "type"];
const MOUNT_SETTINGS = [
  "description",
  "options",
  "config",
  "local",
  "seal_wrap",
  "external_entropy_access",
  "plugin_version",
];

/** Reads one namespace: what the server itself keeps, every mount, and the namespaces inside it. */
export async function readNamespace(walk: InventoryWalk): Promise<void> {
  const mounts = await walk.need("sys/mounts");
  const methods = await walk.need("sys/auth");
  for (const [path, mount] of Object.entries(mounts)) readMount(walk, path, mount as JsonObject);
  for (const [path, method] of Object.entries(methods)) readAuth(walk, `auth/${path}`, method as JsonObject);
  readNamed(walk, "policy", "policies/acl");
  readNamed(walk, "policy", "policies/password");
  if (walk.namespace === "") {
    readNamed(walk, "quota", "quotas/rate-limit");
    walk.later(() => readAudit(walk));
  }
  walk.later(async () => walk.tokens((await walk.list("auth/token/accessors")).keys.length));
  const leasing = [...Object.keys(mounts), ...Object.keys(methods).map((path) => `auth/${path}`)];
  countLeases(walk, leasing, "");
  walk.later(() => readChildren(walk));
}

function readMount(walk: InventoryWalk, mount: string, about: JsonObject): void {
  noteMount(walk, { kind: "mount", mount: "sys/", path: `mounts/${mount}` }, about);
  const type = typeOf(about);
  const options = objectIn(about, "options");
  if (type === "kv" || type === "generic") {
    (options["version"] === "2" ? readKv2 : readKv1)(walk, mount);
  } else if (type === "transit") {
    readTransit(walk, mount);
  } else if (type === "identity") {
    readShape(walk, "identity", mount, IDENTITY_SHAPE);
  } else if (Object.hasOwn(ENGINE_SHAPES, type)) {
    readShape(walk, "engine-item", mount, ENGINE_SHAPES[type]!);
  } else if (type !== "system" && type !== "cubbyhole") {
    walk.leaveOut(`${mount} (${type})`);
  }
}

function readAuth(walk: InventoryWalk, mount: string, about: JsonObject): void {
  noteMount(walk, { kind: "auth", mount: "sys/", path: mount }, about);
  const type = typeOf(about);
  if (Object.hasOwn(AUTH_SHAPES, type)) readShape(walk, "auth-item", mount, AUTH_SHAPES[type]!);
  else walk.leaveOut(`${mount} (${type})`);
}

/** A mount of the same path with another uuid is another mount, so the two halves are kept apart. */
function noteMount(walk: InventoryWalk, place: Place, about: JsonObject): void {
  const part = (fields: readonly string[]) => fields.map((field) => about[field] ?? null);
  walk.note(place, [
    `i:${walk.digestAt(place, "i", part(MOUNT_IDENTITY))}`,
    `c:${walk.digestAt(place, "c", part(MOUNT_SETTINGS))}`,
  ]);
}

/** Inside a namespace the types of the built-in mounts carry a prefix. */
function typeOf(about: JsonObject): string {
  return String(about["type"] ?? "unknown").replace(/^ns_/, "");
}

function readNamed(walk: InventoryWalk, kind: "policy" | "quota", path: string): void {
  walk.later(async () => {
    const { status, keys } = await walk.list(`sys/${path}`);
    if (status !== 200 && status !== 404) walk.leaveOut(`sys/${path} (LIST answered ${status})`);
    for (const key of keys) walk.later(() => walk.noteRead({ kind, mount: "sys/", path: `${path}/${key}` }));
  });
}

async function readAudit(walk: InventoryWalk): Promise<void> {
  for (const [path, device] of Object.entries(await walk.need("sys/audit"))) {
    walk.noteContent({ kind: "audit", mount: "sys/", path: `audit/${path}` }, device);
  }
}

function countLeases(walk: InventoryWalk, mounts: readonly string[], prefix: string): void {
  walk.later(async () => {
    const { keys } = await walk.list(`sys/leases/lookup/${prefix}`);
    const folders = keys.filter((key) => key.endsWith("/") && key !== "/");
    for (const folder of folders) countLeases(walk, mounts, prefix + folder);
    const mount = mounts.find((path) => prefix.startsWith(path)) ?? "(none)";
    if (keys.length > folders.length) walk.leases(mount, keys.length - folders.length);
  });
}

async function readChildren(walk: InventoryWalk): Promise<void> {
  const { status, keys, info } = await walk.list("sys/namespaces");
  // None, or a server that knows no namespaces. Anything else would leave out all that lies in them.
  if (status === 404 || status === 405) return;
  if (status !== 200)
    throw new Error(`LIST sys/namespaces answered ${status}, expected 200 or 404; the inventory needs it`);
  for (const key of keys) {
    walk.noteContent({ kind: "namespace", mount: "sys/", path: `namespaces/${key}` }, objectIn(info, key));
    const child = walk.into(walk.namespace + key);
    walk.later(() => readNamespace(child));
  }
}
