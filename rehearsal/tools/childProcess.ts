import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { noteBuild } from "./leftBuild";

/** How to run one logged command. */
export interface LoggedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  /** File that both streams are added to. */
  readonly logFile: string;
  /** Called every 30 seconds while the command runs, with the seconds since its start. */
  readonly onHeartbeat?: (seconds: number) => void;
  /** File that names the process while it runs: `endLeftBuild` ends what a killed run left. @default none */
  readonly note?: string;
  /**
   * Ends in its own time after SIGINT, out of a terminal's reach, as apt does once dpkg has finished what it is at: a
   * dpkg that is cut off leaves the machine with half-configured packages. @default false
   */
  readonly gentle?: boolean;
}

const running = new Map<ChildProcess, { readonly gentle: boolean }>();
let stopping = false;
const POLL_MS = 50;

/**
 * Runs a command with its output in a file; a SIGINT or SIGTERM to this process ends the command first.
 * @throws with the last lines of the output when it fails.
 */
export async function runLogged(step: LoggedCommand): Promise<void> {
  mkdirSync(dirname(step.logFile), { recursive: true });
  const log = openSync(step.logFile, "a");
  const gentle = step.gentle === true;
  const child = spawn(step.command, step.args, {
    cwd: step.cwd,
    env: step.env,
    stdio: ["ignore", log, log],
    detached: gentle,
  });
  closeSync(log);
  running.set(child, { gentle });
  if (step.note !== undefined && child.pid !== undefined) noteBuild(step.note, child.pid);
  const started = Date.now();
  const heartbeat = setInterval(() => step.onHeartbeat?.(Math.round((Date.now() - started) / 1000)), 30_000);
  try {
    const outcome = await new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    // The process exits soon, by whoever stops it: its end is no failure to go on from.
    if (stopping) await new Promise(() => undefined);
    if (outcome === "exit code 0") return;
    throw new Error(
      `"${step.command} ${step.args[0] ?? ""}" ended with ${outcome}; expected exit code 0. ` +
        `The whole output is in ${step.logFile}; its last lines:\n${lastLines(step.logFile, 15)}`,
    );
  } finally {
    clearInterval(heartbeat);
    running.delete(child);
    if (step.note !== undefined) rmSync(step.note, { force: true });
  }
}

/** Whether something runs that `stopRunning` waits for. */
export function runsGently(): boolean {
  return [...running.values()].some(({ gentle }) => gentle);
}

/**
 * Ends the running commands, so that none outlives this process, and waits for those that end in their own time.
 * @param hurry asked again and again: true ends the wait at once
 * @returns the process ids that still run after the wait
 */
export async function stopRunning(graceMs: number, hurry: () => boolean): Promise<number[]> {
  stopping = true;
  const left = new Set<ChildProcess>();
  for (const [child, { gentle }] of running) {
    if (gentle) left.add(child);
    child.kill(gentle ? "SIGINT" : "SIGTERM");
  }
  const deadline = Date.now() + graceMs;
  const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
  while ([...left].some((child) => !ended(child)) && Date.now() < deadline && !hurry()) await delay(POLL_MS);
  return [...left].filter((child) => !ended(child)).map(({ pid }) => pid ?? 0);
}

function lastLines(path: string, count: number): string {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(-count);
  return lines.map((line) => `  ${line}`).join("\n");
}
