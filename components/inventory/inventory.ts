import type { OpenBao } from "../cluster/openBaoClient";
import { Digester } from "./digester";
import { InventoryReader } from "./inventoryReader";
import { InventoryWalk, type EntryNote } from "./inventoryWalk";
import { EntryCollector } from "./entryCollector";
import { readNamespace } from "./readNamespace";
import { TaskStack } from "./taskStack";

const DEFAULT_PARALLEL = 8;

/**
 * One thing in the store. Each digest has a label: "<n>:l:" a live version, "<n>:d" deleted, "<n>:x" destroyed,
 * "i:" what identity it has, "c:" the rest of it; "<n>:u" and "u" say that it could not be read.
 */
export interface InventoryEntry extends EntryNote {
  /** Keyed digest of kind and name: it may be shown where the name may not. */
  readonly id: string;
}

export interface InventoryCounts {
  readonly tokens: number;
  /** Leases by the mount that made them. */
  readonly leases: Readonly<Record<string, number>>;
}

/** Everything in a store by name, version and keyed digest. It holds no secret value; names may be sensitive. */
export interface Inventory {
  readonly takenAt: string;
  /** Which key the digests were made with; only inventories of one key can be compared. */
  readonly keyId: string;
  /** One digest over all entries. */
  readonly digest: string;
  readonly entries: readonly InventoryEntry[];
  readonly counts: InventoryCounts;
  /** Mounts whose content has no reader here: only the mount itself was compared. */
  readonly notCompared: readonly string[];
  /** Names that were listed and gone at the moment of reading. */
  readonly vanished: number;
}

/** A ciphertext that a transit key must be able to decrypt. */
export interface TransitProbe {
  /** Mount path without slash at the end. */
  readonly mount: string;
  readonly key: string;
  readonly ciphertext: string;
  /** @default the root namespace */
  readonly namespace?: string;
}

export interface InventoryOptions {
  /** At least 32 random bytes; the same for the inventories that will be compared. */
  readonly hmacKey: Buffer;
  /** Requests at a time. @default 8 */
  readonly parallel?: number;
  readonly probes?: readonly TransitProbe[];
  /** Called at each hundredth entry and at the end with the number of entries. */
  readonly progress?: (done: number) => void;
}

/**
 * Reads all content of one unsealed active node into keyed digests. Dynamic engines are never read, so no lease is made.
 * @throws Error when the node stops answering, is sealed or standby, or the token may not read something.
 */
export async function takeInventory(
  bao: OpenBao,
  token: string,
  options: InventoryOptions,
): Promise<Inventory> {
  const digester = new Digester(options.hmacKey);
  const collector = new EntryCollector(digester, options.progress);
  const tasks = new TaskStack();
  const walk = new InventoryWalk(new InventoryReader(bao, token), digester, collector, tasks);
  for (const probe of options.probes ?? [])
    tasks.push(() => readProbe(walk.into(probe.namespace ?? ""), probe));
  tasks.push(() => readNamespace(walk));
  await tasks.drain(Math.max(1, options.parallel ?? DEFAULT_PARALLEL));
  return collector.inventory();
}

async function readProbe(walk: InventoryWalk, probe: TransitProbe): Promise<void> {
  const { status, data } = await walk.decrypt(`${probe.mount}/decrypt/${probe.key}`, probe.ciphertext);
  // Two probes of one key must not overwrite each other.
  const which = walk.digest("probe", probe.ciphertext).slice(0, 8);
  const place = {
    kind: "transit-probe",
    mount: `${probe.mount}/`,
    path: `decrypt/${probe.key}#${which}`,
  } as const;
  if (status === 200) walk.noteContent(place, data["plaintext"]);
  else walk.noteUnreadable(place);
}
