import type { Stage } from "../../config";
import type { CarryPath } from "./carryPath";
import { RESOURCES, type StepRecord } from "./plan";

/** [id, script, hazards, touchesKey]; each comes after the one above it in its stage. */
type Row = readonly [id: string, script: string, hazards: readonly string[], touchesKey?: true];

const NETWORK_TO_BACKUP: Readonly<Record<Exclude<CarryPath, "migrate">, readonly Row[]>> = {
  none: [
    ["inventory-backup", "backupInventory", ["H2", "I48"], true],
    ["snapshot", "snapshot", ["I23", "I24", "F28", "F29", "F30", "F65"], true],
  ],
  restore: [
    ["inventory-backup", "backupInventory", ["H2", "I48"], true],
    ["snapshot", "snapshot", ["I23", "I24", "F28", "F29", "F30", "F65"], true],
  ],
  "restore-file": [["snapshot", "snapshot", ["I23", "I24", "F28", "F29", "F30", "F65"], true]],
  reseed: [
    ["inventory-backup", "backupInventory", ["H2", "I48"], true],
    ["reseed-check-backup", "reseedCheck", ["I48"]],
  ],
};

const PAUSE: Row = ["pause", "pause", ["I1", "I8", "I38", "F53", "F54"]];
const INVENTORY: Row = ["inventory-cutover", "cutoverInventory", ["F23"], true];
const STOP: Row = ["stop", "stop", ["F22", "F23"]];
const FINAL: Row = ["final-snapshot", "finalSnapshot", ["F17", "F23", "F28", "F29", "F65"], true];
const ASIDE: Row = ["set-aside", "setAside", ["F19", "F22", "F68"]];
const START: readonly Row[] = [
  ["flip", "flip", ["I4", "I35", "I40", "F40"]],
  ["roll", "roll", ["I2", "I4", "F56"]],
];
const RESTORE: Row = [
  "restore",
  "restore",
  ["H1", "H3", "I19", "I21", "F15", "F26", "F29", "F57", "F68"],
  true,
];
const UNSEAL: Row = ["unseal-0", "unseal", ["I2", "I3", "I15", "F24"], true];

const CUTOVER: Readonly<Record<Exclude<CarryPath, "migrate">, readonly Row[]>> = {
  none: [PAUSE, INVENTORY],
  restore: [
    PAUSE,
    INVENTORY,
    STOP,
    FINAL,
    ASIDE,
    ...START,
    RESTORE,
    UNSEAL,
    ["compare-cutover", "compareCutover", ["F23", "F68"], true],
  ],
  "restore-file": [
    PAUSE,
    STOP,
    ASIDE,
    ...START,
    RESTORE,
    UNSEAL,
    ["inventory-restored", "restoredInventory", ["F23"], true],
  ],
  reseed: [
    PAUSE,
    INVENTORY,
    ["reseed-check", "reseedCheck", ["I48"]],
    STOP,
    ASIDE,
    ...START,
    ["init", "init", ["I2", "I29", "F11", "F13", "F15", "F25", "F26", "F51", "F57"], true],
    ["git-keys", "gitKeys", ["H6", "I49", "F26", "F69"], true],
    UNSEAL,
    ["reseed-jobs", "reseedJobs", ["I48"]],
    ["inventory-reseeded", "reseededInventory", ["F23"], true],
  ],
};

/** The steps of stages backup and cutover for the paths other than migrate. */
export function carrySteps(path: Exclude<CarryPath, "migrate">, pod0: string): StepRecord[] {
  return [...chain("backup", NETWORK_TO_BACKUP[path], pod0), ...chain("cutover", CUTOVER[path], pod0)];
}

function chain(stage: Stage, rows: readonly Row[], pod0: string): StepRecord[] {
  return rows.map(([id, script, hazards, touchesKey = false], at) => {
    const before = rows[at - 1]?.[0];
    // The values layer stands between the emptied volume and the flip.
    const after = id === "flip" ? [RESOURCES.release] : before === undefined ? [] : [before];
    const targets = ["pause", "git-keys", "reseed-jobs"].includes(id) ? [] : [pod0];
    const needs = id === "git-keys" && ({ needs: "git.keySecret" } as const);
    return { id, stage, after, script, targets, hazards, touchesKey, ...needs };
  });
}
