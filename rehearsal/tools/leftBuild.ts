import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { holderOf, isAlive, parseHolder } from "./lock";

const POLL_MS = 50;

/** Notes which process builds now, so that the next run finds it if this one is killed. */
export function noteBuild(file: string, pid: number): void {
  writeFileSync(file, JSON.stringify(holderOf(pid)));
}

/**
 * Ends the build that a killed run left: its result would be swept away, and two builds fight for processor and memory.
 * Only for the holder of the tools' lock. Nothing happens when the noted process has ended, or its id is another's now.
 * @param graceMs time to end by itself after SIGTERM, in milliseconds; SIGKILL follows. @default 10000
 */
export async function endLeftBuild(
  file: string,
  log: (line: string) => void,
  graceMs = 10_000,
): Promise<void> {
  const left = parseHolder(readNote(file));
  if (left !== undefined && isAlive(left)) {
    log(`A run that was killed left its build (process ${left.pid}) behind; ending it ...`);
    process.kill(left.pid, "SIGTERM");
    const deadline = Date.now() + graceMs;
    while (isAlive(left) && Date.now() < deadline) await delay(POLL_MS);
    if (isAlive(left)) process.kill(left.pid, "SIGKILL");
  }
  rmSync(file, { force: true });
}

function readNote(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
