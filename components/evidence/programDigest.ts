import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../projectRoot";

let known: string | undefined;

/**
 * SHA-256 of what acts on a cluster: program.cjs, index.ts, config.ts, each file below components/ and the pinned
 * packages. Tests, documents and the rehearsal are not in it. Read once a process.
 */
export function programDigest(): string {
  known ??= digestOfProgram(PROJECT_ROOT);
  return known;
}

/** @param root folder of the project; exported for tests. */
export function digestOfProgram(root: string): string {
  const files = readdirSync(join(root, "components"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|cjs|sh)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const hash = createHash("sha256");
  for (const file of ["program.cjs", "index.ts", "config.ts", ...files.sort()]) {
    hash.update(`${file}\0${sha256(readFileSync(join(root, file)))}\n`);
  }
  const { version, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version?: unknown;
    dependencies?: unknown;
  };
  return hash.update(JSON.stringify({ version, dependencies })).digest("hex");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
