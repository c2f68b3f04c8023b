import { existsSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheDir } from "../cache";
import { runLogged } from "./childProcess";
import { allowDaemons, forbidDaemons } from "./daemonPolicy";

/** Tells in words why Debian packages cannot be installed here, or gives undefined when they can. */
export function debianProblem(): string | undefined {
  const dirs = (process.env["PATH"] ?? "").split(delimiter);
  if (!dirs.some((dir) => existsSync(join(dir, "apt-get"))))
    return "this is no Debian: apt-get was not found on PATH";
  return process.getuid?.() === 0 ? undefined : "apt-get needs root";
}

/**
 * Installs Debian packages without starting any daemon that they bring.
 * @throws with the last lines of apt's output when it fails.
 */
export async function installPackages(
  packages: readonly string[],
  log: (line: string) => void,
): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const logFile = cacheDir("tools", "apt.log");
  const lockWait = ["-o", "DPkg::Lock::Timeout=300"];
  const apt = (...args: string[]): Promise<void> =>
    runLogged({
      command: "apt-get",
      args: [...args],
      env,
      logFile,
      gentle: true,
      onHeartbeat: (seconds) => log(`  ... still installing, ${seconds} s`),
    });
  rmSync(logFile, { force: true });
  forbidDaemons();
  try {
    await apt("update", "-q", ...lockWait);
    await apt("install", "-q", "-y", "--no-install-recommends", ...lockWait, ...packages);
  } finally {
    allowDaemons();
  }
}
