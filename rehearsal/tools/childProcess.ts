import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
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
}

const running = new Set<ChildProcess>();

/**
 * Runs a command with its output in a file; a SIGINT or SIGTERM to this process ends the command first.
 * @throws with the last lines of the output when it fails.
 */
export async function runLogged(step: LoggedCommand): Promise<void> {
  mkdirSync(dirname(step.logFile), { recursive: true });
  const log = openSync(step.logFile, "a");
  const child = spawn(step.command, step.args, { cwd: step.cwd, env: step.env, stdio: ["ignore", log, log] });
  closeSync(log);
  running.add(child);
  if (step.note !== undefined && child.pid !== undefined) noteBuild(step.note, child.pid);
  const started = Date.now();
  const heartbeat = setInterval(() => step.onHeartbeat?.(Math.round((Date.now() - started) / 1000)), 30_000);
  try {
    const outcome = await new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
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

/** Ends the running command, if there is one, so that it does not outlive this process. */
export function stopRunning(): void {
  for (const child of running) child.kill("SIGTERM");
}

function lastLines(path: string, count: number): string {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(-count);
  return lines.map((line) => `  ${line}`).join("\n");
}
