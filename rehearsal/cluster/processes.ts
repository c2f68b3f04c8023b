import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { systemCgroupFile } from "./cgroups";
import { clusterDir } from "./layout";
import { plainEnvironment } from "./run";
import type { ClusterState, ProcessRecord } from "./state";
import { waitFor } from "./waitFor";

/** A long-running program of the cluster. */
export interface ProcessSpec {
  readonly name: string;
  readonly argv: readonly string[];
  /** Network namespace to run in. @default the host's */
  readonly netns?: string;
  readonly environment?: Record<string, string>;
  readonly cwd?: string;
  /** Texts (configuration files, programs) whose change asks for a restart. */
  readonly inputs?: readonly string[];
}

/** Start time of a live process in clock ticks since boot; undefined when it is gone or a zombie. */
export function processStartTime(pid: number): string | undefined {
  try {
    return parseStartTime(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Reads field 22 of /proc/PID/stat; the command in field 2 may hold spaces and parentheses. */
export function parseStartTime(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

export function isAlive(record: ProcessRecord | undefined): boolean {
  return record !== undefined && processStartTime(record.pid) === record.startTime;
}

/** Digest of what a process is run as. */
export function commandDigest(spec: ProcessSpec): string {
  const parts = [spec.argv, spec.netns ?? "", spec.environment ?? {}, spec.cwd ?? "", spec.inputs ?? []];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** True when the process of that name lives and is run as the spec says. */
export function isRunning(state: ClusterState, spec: ProcessSpec): boolean {
  const record = state.processes[spec.name];
  return isAlive(record) && record?.command === commandDigest(spec);
}

export function processLog(name: string): string {
  return clusterDir("logs", `${name}.log`);
}

/**
 * The shell enters the cluster's cgroup and then becomes the program, so that no program of ours is ever outside it.
 * nsenter becomes the program too. Not `ip netns exec`: that makes a mount namespace as well, and containerd would
 * not see the kubelet's mounts.
 */
function wrapped(spec: ProcessSpec): readonly string[] {
  const enterNetns = spec.netns ? ["nsenter", `--net=/run/netns/${spec.netns}`, "--"] : [];
  return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', systemCgroupFile(), ...enterNetns, ...spec.argv];
}

/** Starts a program that outlives us; its output goes to the log file of its name. */
export function startProcess(spec: ProcessSpec): ProcessRecord {
  mkdirSync(clusterDir("logs"), { recursive: true });
  const log = openSync(processLog(spec.name), "a", 0o600);
  try {
    const [file = "", ...args] = wrapped(spec);
    const child = spawn(file, args, {
      cwd: spec.cwd ?? "/",
      env: plainEnvironment(spec.environment),
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.on("error", () => undefined);
    child.unref();
    const startTime = child.pid === undefined ? undefined : processStartTime(child.pid);
    if (child.pid === undefined || startTime === undefined) {
      throw new Error(`${spec.name} could not be started (${spec.argv[0]}). See ${processLog(spec.name)}.`);
    }
    return { pid: child.pid, startTime, command: commandDigest(spec) };
  } finally {
    closeSync(log);
  }
}

/** Ends a recorded process: SIGTERM, then SIGKILL after the grace. */
export async function stopProcess(record: ProcessRecord | undefined, graceSeconds = 5): Promise<void> {
  if (!record || !isAlive(record)) return;
  signal(record.pid, "SIGTERM");
  const gone = () => Promise.resolve(!isAlive(record));
  await waitFor("process to end", graceSeconds, gone, 50).catch(() => signal(record.pid, "SIGKILL"));
  await waitFor(`process ${record.pid} to end after SIGKILL`, 10, gone, 50);
}

/** The last lines that a process wrote, for an error about it. */
export function logTail(name: string, lines = 5): string {
  try {
    return readFileSync(processLog(name), "utf8").trim().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/** Sends a signal; a process that is gone already is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
