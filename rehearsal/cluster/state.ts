import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { clusterDir } from "./layout";

const processSchema = z.strictObject({
  pid: z.int().positive(),
  /** Clock ticks since boot, as in /proc/PID/stat: tells a re-used pid from ours. */
  startTime: z.string(),
  /** Digest of the command, so that a changed one is started anew. */
  command: z.string(),
});

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** The machine's boot: after another boot no process, mount or link of ours can be left. */
  bootId: z.string(),
  phase: z.enum(["starting", "up", "stopping"]),
  processes: z.record(z.string(), processSchema),
  /** node -> image name -> digest of the imported tar. */
  images: z.record(z.string(), z.record(z.string(), z.string())),
  /** Kernel settings as they were before the kubelets changed them. */
  kernelSettings: z.record(z.string(), z.string()),
  /** Folders outside the cache that did not exist before `up`. */
  madeFolders: z.array(z.string()),
});

export type ClusterState = z.infer<typeof stateSchema>;
export type ProcessRecord = z.infer<typeof processSchema>;

export function stateFile(): string {
  return clusterDir("state.json");
}

export function currentBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

export function emptyState(bootId: string): ClusterState {
  return {
    version: 1,
    bootId,
    phase: "starting",
    processes: {},
    images: {},
    kernelSettings: {},
    madeFolders: [],
  };
}

/** The recorded state; undefined when there is none or it cannot be read as one. */
export function readState(file = stateFile()): ClusterState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // An unreadable record is treated as none: `down` finds what is ours by cgroup, mount and name as well.
    return undefined;
  }
}

/** Writes the state in one rename, so that a killed `up` never leaves half a file. */
export function writeState(state: ClusterState, file = stateFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.next`;
  writeFileSync(next, JSON.stringify(stateSchema.parse(state), null, 2) + "\n", { mode: 0o600 });
  renameSync(next, file);
}
