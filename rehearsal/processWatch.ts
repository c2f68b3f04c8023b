import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** One argument list or environment entry that a process was seen with. */
export interface SeenWords {
  readonly where: string;
  readonly text: string;
}

export interface ProcessWatch {
  /** One look at once, beside those that the time brings. */
  look(): void;
  /**
   * Ends the watch. @returns every different argument list and environment entry, each once.
   * @throws Error when there were more than fit: then not all was kept.
   */
  stop(): Promise<readonly SeenWords[]>;
}

export interface ProcessWatchOptions {
  /** Milliseconds between two looks. @default 20 */
  readonly everyMs?: number;
  /** The time in milliseconds. @default the machine's */
  readonly now?: () => number;
  /** Bound of what is kept, in characters. @default 64 million */
  readonly maxLength?: number;
}

/** Between fork and exec a process still shows its parent's words: while it is young, each look reads it. */
const YOUNG_MS = 3000;
/** Whoever is older is read once in so many looks: reading all of a cluster's processes each time takes a tenth of a core. */
const OLD_EVERY = 20;

/**
 * Looks at a process and its descendants again and again, and keeps their arguments and environments. Whoever was a
 * descendant once stays one, also when its parent has died. A process that lives shorter than one look may be missed, and what one older than 3 s becomes by an exec if it then lives shorter
 * than 20 looks.
 */
export function watchProcesses(root: number, options: ProcessWatchOptions = {}): ProcessWatch {
  const { everyMs = 20, maxLength = 64_000_000, now = Date.now } = options;
  const kept = new Map<string, string>();
  const ours = new Map<number, number>([[root, now()]]);
  const others = new Set<number>();
  let length = 0;
  let full = false;
  let looks = 0;

  const keep = (text: string, where: () => string): void => {
    if (text === "" || kept.has(text)) return;
    if (length + text.length > maxLength) full = true;
    else {
      kept.set(text, where());
      length += text.length;
    }
  };
  const look = (): void => {
    const alive = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    sort(alive, ours, others, now());
    looks++;
    for (const pid of alive) {
      const since = ours.get(pid);
      if (since === undefined) continue;
      // Not all of them in the same look.
      if (now() - since > YOUNG_MS && (looks + pid) % OLD_EVERY !== 0) continue;
      const words = read(pid, "cmdline");
      const argv = words.replaceAll("\0", " ").trim();
      const name = basename(words.split("\0")[0] ?? "");
      keep(argv, () => `arguments of ${name} (process ${pid})`);
      for (const entry of read(pid, "environ").split("\0"))
        keep(entry, () => `${entry.split("=")[0]} in the environment of ${name} (process ${pid})`);
    }
  };
  look();
  const timer = setInterval(look, everyMs);
  return {
    look,
    stop: async () => {
      clearInterval(timer);
      if (full)
        throw new Error(
          `what the processes showed did not fit into ${maxLength} characters, expected all of it; raise maxLength`,
        );
      return await Promise.resolve([...kept].map(([text, where]) => ({ where, text })));
    },
  };
}

/**
 * Tells each living process that is not known yet by its parent; numbers of the dead are forgotten, to be used again.
 * @param ours with the time in milliseconds at which each was first seen
 */
function sort(alive: readonly number[], ours: Map<number, number>, others: Set<number>, time: number): void {
  const living = new Set(alive);
  for (const known of [ours, others]) for (const pid of known.keys()) if (!living.has(pid)) known.delete(pid);
  const isOurs = (pid: number, depth = 0): boolean => {
    if (ours.has(pid)) return true;
    if (others.has(pid) || !living.has(pid) || depth > 64) return false;
    const stat = read(pid, "stat");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    const found = isOurs(parent, depth + 1);
    if (found) ours.set(pid, time);
    else others.add(pid);
    return found;
  };
  for (const pid of alive) isOurs(pid);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // It has ended meanwhile, or is another user's.
    return "";
  }
}
