import { field, isMap } from "./configBlocks";
import { clusterListeners } from "./clusterAddress";
import { storageTuning, type RaftConfigOptions } from "./retryJoin";
import { refusal, STORAGE_KEYS, storageBlock } from "./serverConfig";

/** The map form of `raftConfig`; keys keep their order, and what is not changed is the same value. */
export function raftConfigMap(
  config: Readonly<Record<string, unknown>>,
  targets: readonly Readonly<Record<string, string>>[],
  options: RaftConfigOptions,
): Record<string, unknown> {
  const raft = raftStorage(config, targets, options);
  const addresses = new Map(clusterListeners(config).map(({ block, address }) => [block.fields, address]));
  const entries = Object.entries(config).map(([key, value]): [string, unknown] => {
    const name = key.toLowerCase();
    if (name === "storage" || name === "backend") return [key, { raft }];
    return name === "listener" ? [key, withAddresses(value, addresses)] : [key, value];
  });
  if (field(config, "service_registration") === undefined)
    entries.push(["service_registration", { kubernetes: {} }]);
  return Object.fromEntries(entries);
}

function raftStorage(
  config: Readonly<Record<string, unknown>>,
  targets: readonly Readonly<Record<string, string>>[],
  options: RaftConfigOptions,
): Record<string, unknown> {
  const { labels, fields } = storageBlock(config);
  if (labels[0]!.toLowerCase() !== "file") {
    throw refusal(`storage of type ${JSON.stringify(labels[0])}`, '"file"', "nothing to convert");
  }
  const stranger = Object.keys(fields).find((key) => !STORAGE_KEYS.includes(key));
  if (stranger !== undefined) {
    throw refusal(`"${stranger}" in the storage block`, `only ${STORAGE_KEYS.join(", ")}`, "remove it");
  }
  if (typeof fields.path !== "string") throw refusal("a storage block without path", "path", "add it");
  return { ...fields, ...storageTuning(options), retry_join: targets.map((target) => ({ ...target })) };
}

function withAddresses(value: unknown, addresses: ReadonlyMap<unknown, string>): unknown {
  const address = addresses.get(value);
  if (address !== undefined) return { ...(value as object), cluster_address: address };
  if (Array.isArray(value)) return value.map((each) => withAddresses(each, addresses));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withAddresses(each, addresses)]),
  );
}
