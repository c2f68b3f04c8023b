import { randomStream, type RandomStream } from "./randomStream";
import { ODD_PATHS } from "./oddPaths";

/** Every generated secret text starts so; nothing else in the project or on the cluster does. */
export const CANARY = "canary-";

export const KV1_MOUNT = "kv1";
export const KV2_MOUNT = "secret";
/** The OpenBao namespaces, each a child of the one before; `""` is the root namespace. */
export const NAMESPACES = ["team-a", "team-a/blue"] as const;

/** Sizes in bytes of the few large values; under Raft's default max_entry_size of 1 MiB when encrypted. */
export const LARGE_SIZES: readonly number[] = [
  900 * 1024,
  512 * 1024,
  256 * 1024,
  256 * 1024,
  64 * 1024,
  64 * 1024,
  64 * 1024,
];

export type SecretData = Record<string, unknown>;

/** What happens to a KV v2 entry after its versions are written. */
export type Fate = "kept" | "latest-deleted" | "first-destroyed" | "undeleted" | "metadata-deleted";

export interface KvEntry {
  /** OpenBao namespace; "" is the root. */
  readonly namespace: string;
  readonly mount: typeof KV1_MOUNT | typeof KV2_MOUNT;
  readonly path: string;
  /** Oldest first; a KV v1 entry has one. */
  readonly versions: readonly SecretData[];
  readonly fate: Fate;
  /** Body for KV v2 `metadata/`, when the entry has settings of its own. */
  readonly metadata?: SecretData;
}

interface Place {
  readonly namespace: string;
  readonly mount: KvEntry["mount"];
  readonly path: string;
}

/**
 * Entry `index` (from 0) of the content of `seed`: a pure function of both, so it can be made again to compare.
 * The first entries are the special ones: odd names in both mounts, then large values.
 */
export function kvEntry(seed: string, index: number): KvEntry {
  const random = randomStream("openbao-rehearsal", seed, "kv", index);
  const odd = ODD_PATHS.length;
  if (index < 2 * odd) {
    const mount = index % 2 === 0 ? KV2_MOUNT : KV1_MOUNT;
    const path = ODD_PATHS[index >> 1]!;
    return { namespace: "", mount, path, versions: [smallData(random, mount)], fate: "kept" };
  }
  const large = LARGE_SIZES[index - 2 * odd];
  if (large !== undefined) {
    const mount = index % 2 === 0 ? KV2_MOUNT : KV1_MOUNT;
    const versions = [{ blob: canaryText(random, "large", large) }];
    return { namespace: "", mount, path: `large/value-${index}`, versions, fate: "kept" };
  }
  return regularEntry(placeOf(random, index), random, index);
}

/** The entries 0 to `keys` - 1, made one at a time. */
export function* kvEntries(seed: string, keys: number): Generator<KvEntry> {
  for (let index = 0; index < keys; index++) yield kvEntry(seed, index);
}

/** A secret text of `length` bytes (at least the canary prefix and `kind`), recognisable in a leak scan. */
export function canaryText(random: RandomStream, kind: string, length: number): string {
  const prefix = `${CANARY}${kind}-`;
  return prefix + random.hex(Math.max(16, length - prefix.length));
}

function placeOf(random: RandomStream, index: number): Place {
  if (index % 100 === 99) return { namespace: NAMESPACES[1], mount: KV2_MOUNT, path: `blue/secret-${index}` };
  if (index % 20 === 0) return { namespace: NAMESPACES[0], mount: KV2_MOUNT, path: `apps/secret-${index}` };
  const mount = index % 3 === 0 ? KV1_MOUNT : KV2_MOUNT;
  // One wide folder beside many narrow ones: listings differ in cost.
  if (index % 10 === 4) return { namespace: "", mount, path: `flat/secret-${index}` };
  const folder = `team-${random.below(8)}/app-${random.below(16)}/${["dev", "stage", "prod"][random.below(3)]!}`;
  return { namespace: "", mount, path: `${folder}/secret-${index}` };
}

function regularEntry(place: Place, random: RandomStream, index: number): KvEntry {
  if (place.mount === KV1_MOUNT)
    return { ...place, versions: [smallData(random, place.mount)], fate: "kept" };
  const fates: Record<number, Fate> = {
    7: "latest-deleted",
    17: "first-destroyed",
    29: "metadata-deleted",
    47: "undeleted",
  };
  const fate = fates[index % 50] ?? "kept";
  const several = fate === "first-destroyed" || index % 10 === 1;
  const count = several ? 2 + random.below(3) : 1;
  const versions = Array.from({ length: count }, () => smallData(random, place.mount));
  const settings = {
    max_versions: 5,
    custom_metadata: { owner: `team-${index}`, "odd key": "ünïcode = ok" },
  };
  return { ...place, versions, fate, ...(index % 200 === 71 && { metadata: settings }) };
}

/** Data of one of the shapes that users store; numbers stay within what JSON in JavaScript can hold exactly. */
function smallData(random: RandomStream, mount: string): SecretData {
  const secret = () => canaryText(random, mount, 24 + random.below(40));
  switch (random.below(12)) {
    case 0:
      return { v: random.hex(1) };
    case 1:
      return { binary: random.bytes(1 + random.below(200)).toString("base64") };
    case 2:
      return {
        password: secret(),
        port: random.below(65536),
        ratio: random.below(1000) / 8,
        tls: true,
        none: null,
      };
    case 3:
      return {
        nested: { list: [secret(), { deep: secret() }], empty: {} },
        text: "line one\nline two\ttab\r\n",
      };
    case 4:
      return {
        "key with space": secret(),
        ключ: `${secret()} пароль 密碼 🔑`,
        "a/b": secret(),
        "": secret(),
      };
    case 5:
      return { note: canaryText(random, mount, 2000 + random.below(2000)) };
    default:
      return { username: `user-${random.hex(6)}`, password: secret() };
  }
}
