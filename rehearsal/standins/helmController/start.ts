import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cacheDir } from "../../cache";

export interface HelmControllerOptions {
  /** Path of the helm binary. */
  helm: string;
  /** Folder that holds charts by name; `rehearsal/standins/chart` by default. */
  chartsDir?: string;
  /** Folder for pid, log and ready file; `helm-controller` in the cluster's cache folder by default. */
  stateDir?: string;
}

export interface RunningHelmController {
  pid: number;
  logFile: string;
  /** Asks it to end, waits until it did; kills it after 30 s. */
  stop(): Promise<void>;
}

const readyMs = 30_000;
const stopMs = 30_000;
const pollMs = 50;

/**
 * Starts the stand-in helm-controller as a process of its own that outlives the caller, and waits until it listed all
 * HelmReleases (30 s). One that a former call started with the same state folder is ended first.
 * @throws when it ends early or is not ready in time; the message names the log.
 */
export async function startHelmController(
  kubeconfig: string,
  {
    helm,
    chartsDir = join(__dirname, "..", "chart"),
    stateDir = cacheDir("cluster", "helm-controller"),
  }: HelmControllerOptions,
): Promise<RunningHelmController> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  await stopHelmController(stateDir);
  const readyFile = join(stateDir, "ready");
  const logFile = join(stateDir, "log");
  rmSync(readyFile, { force: true });
  const log = openSync(logFile, "w", 0o600);
  const child = spawn(process.execPath, ["--import", "tsx", join(__dirname, "main.ts")], {
    // tsx is found from here, wherever the caller's own folder is.
    cwd: __dirname,
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      KUBECONFIG: kubeconfig,
      REHEARSAL_HELM: helm,
      REHEARSAL_CHARTS_DIR: chartsDir,
      REHEARSAL_READY_FILE: readyFile,
    },
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`the rehearsal's helm-controller did not start: see ${logFile}`);
  writeFileSync(join(stateDir, "pid"), `${pid}\n`);
  child.unref();
  if (await until(() => existsSync(readyFile) || child.exitCode !== null, readyMs)) {
    if (child.exitCode === null) return { pid, logFile, stop: () => stopHelmController(stateDir) };
  }
  await stopHelmController(stateDir);
  const last = readFileSync(logFile, "utf8").trim().split("\n").at(-1);
  throw new Error(
    `found no ready helm-controller within ${readyMs / 1000} s, last log line "${last}": see ${logFile}`,
  );
}

/** Ends the helm-controller whose process id the state folder holds, if it runs; waits until it is gone. */
export async function stopHelmController(stateDir = cacheDir("cluster", "helm-controller")): Promise<void> {
  const pidFile = join(stateDir, "pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8"));
  if (isOurs(pid)) {
    process.kill(pid, "SIGTERM");
    if (!(await until(() => !isOurs(pid), stopMs))) process.kill(pid, "SIGKILL");
    await until(() => !isOurs(pid), stopMs);
  }
  rmSync(pidFile, { force: true });
}

/** Whether the process still runs this program: a process id can belong to another one by now. */
function isOurs(pid: number): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    // A child of ours that ended but was not yet reaped has an empty command line.
    return command.includes(join(__dirname, "main.ts"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, boundMs: number): Promise<boolean> {
  const end = Date.now() + boundMs;
  while (!condition()) {
    if (Date.now() > end) return false;
    await delay(pollMs);
  }
  return true;
}
