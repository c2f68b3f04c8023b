import { existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheDir } from "../cache";
import { runLogged } from "./childProcess";

const POLICY = "/usr/sbin/policy-rc.d";

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
      onHeartbeat: (seconds) => log(`  ... still installing, ${seconds} s`),
    });
  rmSync(logFile, { force: true });
  const removePolicy = forbidDaemons();
  try {
    await apt("update", "-q", ...lockWait);
    await apt("install", "-q", "-y", "--no-install-recommends", ...lockWait, ...packages);
  } finally {
    removePolicy();
  }
}

/** etcd and containerd would start system daemons on the user's machine; a policy of the user's own is kept. */
function forbidDaemons(): () => void {
  try {
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { flag: "wx", mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return () => undefined;
    throw error;
  }
  return () => rmSync(POLICY, { force: true });
}
