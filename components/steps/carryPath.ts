import type { MigrationConfig } from "../../config";

/** The data path with its source: a snapshot that lies at hand needs no running source. */
export type CarryPath = "migrate" | "restore" | "restore-file" | "reseed" | "none";

export function carryPath(config: Pick<MigrationConfig, "carry" | "snapshot">): CarryPath {
  return config.carry === "restore" && config.snapshot?.from === "file" ? "restore-file" : config.carry;
}

/**
 * The step whose end says that the data is where it will stay. Only `migrate` needs none: a file source that answers
 * from Raft has moved. A source on Raft looks the same before and after.
 */
export const MOVED_BY: Readonly<Record<CarryPath, string | undefined>> = {
  migrate: undefined,
  restore: "restore",
  "restore-file": "restore",
  reseed: "init",
  none: "inventory-cutover",
};

/** The step after which a server may start on the volume's root (hazard F40). */
export const READY_BY: Readonly<Record<CarryPath, string>> = {
  migrate: "carry",
  restore: "set-aside",
  "restore-file": "set-aside",
  reseed: "set-aside",
  none: "inventory-cutover",
};

/** Label of the inventory that stage verify compares with. */
export const COMPARED_WITH: Readonly<Record<CarryPath, string>> = {
  migrate: "cutover",
  restore: "cutover",
  "restore-file": "restored",
  reseed: "reseeded",
  none: "cutover",
};

/** True for the paths on which openbao-0 starts on an empty Raft store, to be initialised by this program. */
export function startsEmpty(path: CarryPath): boolean {
  return READY_BY[path] === "set-aside";
}

/**
 * True when `<release>-0` holds the data in its new place.
 * @param done whether the journal has a "done" of a step
 */
export function hasArrived(
  path: CarryPath,
  seal: { readonly storageType: string; readonly initialized: boolean } | undefined,
  done: (step: string) => boolean,
): boolean {
  const by = MOVED_BY[path];
  return seal?.storageType === "raft" && seal.initialized && (by === undefined || done(by));
}
