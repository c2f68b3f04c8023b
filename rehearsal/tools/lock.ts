import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Who holds a lock: the start time tells a living holder from a later process with the same id. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

/** Settings of the wait for a lock. */
export interface LockOptions {
  /** Called once with the holder when the lock is taken. */
  readonly onWait?: (holder: Holder) => void;
  /** Longest wait in milliseconds. @default 5400000 (a full build takes about an hour on two cores) */
  readonly timeoutMs?: number;
  /** Time between two looks in milliseconds. @default 500 */
  readonly pollMs?: number;
}

/**
 * Takes a lock file, waiting for a living holder and taking over from a dead one. Gives the function that frees it.
 * @throws when the holder keeps it for longer than the wait.
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<() => void> {
  const { onWait, timeoutMs = 5_400_000, pollMs = 500 } = options;
  const mine = JSON.stringify(thisProcess());
  const deadline = Date.now() + timeoutMs;
  let told = false;
  mkdirSync(dirname(path), { recursive: true });
  while (!tryLock(path, mine)) {
    const text = readIfThere(path);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (!holder || !isAlive(holder)) {
      buryStale(path, text);
      continue;
    }
    if (!told) onWait?.(holder);
    told = true;
    if (Date.now() > deadline) {
      const minutes = Math.round(timeoutMs / 60_000);
      throw new Error(
        `${path} is held by process ${holder.pid} for more than ${minutes} minutes; expected it to finish. ` +
          `Look at what it does, end it if it hangs, and run this again.`,
      );
    }
    await delay(pollMs);
  }
  return () => {
    if (readIfThere(path) === mine) rmSync(path, { force: true });
  };
}

/** This process as a lock holder. */
export function thisProcess(): Holder {
  return holderOf(process.pid);
}

/** A living process as a holder. */
export function holderOf(pid: number): Holder {
  return { pid, startTime: startTimeOf(pid) ?? "" };
}

/** link() makes the lock with its content in one step, so nobody reads a half-written holder. */
function tryLock(path: string, mine: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, mine);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Two runs may bury at once: whoever moved a living run's lock by that puts it back. */
function buryStale(path: string, staleText: string): void {
  const grave = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    if (readIfThere(grave) !== staleText) linkSync(grave, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(grave, { force: true });
  }
}

/** True while this very process lives; a later one with the same id is not it. */
export function isAlive(holder: Holder): boolean {
  const startTime = startTimeOf(holder.pid);
  if (startTime !== undefined) return startTime === holder.startTime;
  if (process.platform === "linux") return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Field 22 of /proc/PID/stat, counted after the last ")": a command name may hold spaces. None for a zombie, which a
 * container's first process may never collect.
 */
function startTimeOf(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

/** The holder in a lock file's text, or undefined when it names none. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    return typeof value.pid === "number" && typeof value.startTime === "string"
      ? { pid: value.pid, startTime: value.startTime }
      : undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
