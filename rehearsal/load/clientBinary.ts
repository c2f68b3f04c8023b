import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDir } from "../cache";

const BUILD_SECONDS = 300;

/** Path of the static load client; see podBinary. */
export function clientBinary(arch: string): Promise<string> {
  return podBinary(join(__dirname, "client"), "load-client", arch);
}

/**
 * Path of a static Go program for Linux on `arch`; built once for each state of its source, without any download.
 * @param source folder of the program, standard library only.
 * @param arch as in a node's `status.nodeInfo.architecture`, such as "amd64".
 * @throws Error with the compiler's words when the build fails, or when there is no Go.
 */
export async function podBinary(source: string, name: string, arch: string): Promise<string> {
  const digest = createHash("sha256");
  const files = readdirSync(source).filter((file) => file === "go.mod" || file.endsWith(".go"));
  for (const file of files.sort()) digest.update(file).update(readFileSync(join(source, file)));
  const folder = cacheDir("tools", `${name}-${digest.digest("hex").slice(0, 12)}-${arch}`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const next = join(folder, `next-${process.pid}`);
  const flags = ["build", "-trimpath", "-ldflags=-s -w", "-o", next, "."];
  const env = { ...process.env, CGO_ENABLED: "0", GOOS: "linux", GOARCH: arch, GOTOOLCHAIN: "local" };
  try {
    await promisify(execFile)("go", flags, { cwd: source, env, timeout: BUILD_SECONDS * 1000 });
    // A killed build must not leave half a binary under the final name.
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`go build of ${name} failed, expected a Go of 1.24 or later on PATH: ${words}`, {
      cause,
    });
  }
  return path;
}
