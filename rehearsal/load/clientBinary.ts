import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDir } from "../cache";

const SOURCE = join(__dirname, "client");
const BUILD_SECONDS = 300;

/**
 * Path of the static load client for Linux on `arch`; built once for each state of its source, without any download.
 * @param arch as in a node's `status.nodeInfo.architecture`, such as "amd64".
 * @throws Error with the compiler's words when the build fails, or when there is no Go.
 */
export async function clientBinary(arch: string): Promise<string> {
  const digest = createHash("sha256");
  const files = readdirSync(SOURCE).filter((name) => name === "go.mod" || name.endsWith(".go"));
  for (const name of files.sort()) digest.update(name).update(readFileSync(join(SOURCE, name)));
  const folder = cacheDir("tools", `load-client-${digest.digest("hex").slice(0, 12)}-${arch}`);
  const path = join(folder, "load-client");
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const next = join(folder, `next-${process.pid}`);
  const flags = ["build", "-trimpath", "-ldflags=-s -w", "-o", next, "."];
  const env = { ...process.env, CGO_ENABLED: "0", GOOS: "linux", GOARCH: arch, GOTOOLCHAIN: "local" };
  try {
    await promisify(execFile)("go", flags, { cwd: SOURCE, env, timeout: BUILD_SECONDS * 1000 });
    // A killed build must not leave half a binary under the final name.
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`go build of the load client failed, expected a Go of 1.24 or later on PATH: ${words}`, {
      cause,
    });
  }
  return path;
}
