import type { ChildProcess } from "node:child_process";
import { killRun } from "./killRun";

/** The runs of pulumi that go on now. Each has a process group of its own, which a terminal's Ctrl-C does not reach. */
const running = new Set<ChildProcess>();
let ending = false;

/** Remembers a run until it has ended. */
export function trackRun(child: ChildProcess): void {
  running.add(child);
  const forget = () => running.delete(child);
  child.once("close", forget).once("error", forget);
}

/** True once the runs are being ended: whoever waits for one must not take its end for a failed stage. */
export function runsAreEnding(): boolean {
  return ending;
}

/**
 * Asks every run to end as Ctrl-C would, waits, and kills what is left with all its descendants.
 * @param hurry asked again and again: true ends the wait at once.
 */
export async function endRuns(graceMs: number, hurry: () => boolean = () => false): Promise<void> {
  ending = true;
  const children = [...running];
  const ends = children.map((child) => ended(child));
  for (const child of children) signalGroup(child, "SIGINT");
  let over = false;
  const all = Promise.all(ends).then(() => (over = true));
  const deadline = Date.now() + graceMs;
  while (!over && Date.now() < deadline && !hurry()) {
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  for (const child of running) killRun(child);
  await all;
}

/** Not "close": a descendant that is killed with it can hold its output open for a moment longer. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}
