import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../cache";
import { runLogged } from "./childProcess";
import { partDir } from "./locate";
import type { GoSource, ToolPart } from "./toolList";

const PARTIAL = ".partial-";

/** Names the build that runs now. */
export const buildNote = (): string => cacheDir("tools.build");

/** The oldest Go that the pinned modules are built with. */
const OLDEST_GO = [1, 24] as const;

/** Tells in words why Go cannot be used here, or gives undefined when it can. */
export function goProblem(): string | undefined {
  const wanted = `${OLDEST_GO.join(".")} or newer is needed to build`;
  const answer = spawnSync("go", ["version"], { encoding: "utf8" });
  if (answer.error) return `Go was not found on PATH; ${wanted}`;
  if (answer.status !== 0) return `"go version" failed: ${answer.stderr.trim()}`;
  // A Go built from its repository names a commit ("devel go1.25-abc"): the version is in there too.
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(answer.stdout) ?? [];
  if (major === undefined || minor === undefined)
    return `the version of Go is not known, since "go version" says ${JSON.stringify(answer.stdout.trim())}; ${wanted}`;
  const [oldMajor, oldMinor] = OLDEST_GO;
  const fits = Number(major) > oldMajor || (Number(major) === oldMajor && Number(minor) >= oldMinor);
  // An older Go may not even fetch a newer one by itself: before 1.21 it knows no toolchain line.
  return fits ? undefined : `the Go on PATH is ${major}.${minor}; ${wanted}`;
}

/**
 * Builds a part from its pinned wrapper module into the cache. The binaries appear by rename, so an unfinished build
 * leaves none; Go's own build cache keeps what it had compiled.
 * @throws with the last lines of the build log when the build fails.
 */
export async function buildGoPart(
  part: ToolPart,
  source: GoSource,
  log: (line: string) => void,
): Promise<void> {
  const target = partDir(part);
  const logFile = join(target, "build.log");
  const partial = join(target, `${PARTIAL}${process.pid}`);
  sweepPartials(target);
  rmSync(logFile, { force: true });
  mkdirSync(partial, { recursive: true });
  const workDir = copyWrapper(part, source);
  const env = buildEnv();
  const heartbeat = (seconds: number): void => log(`  ... still building ${part.name}, ${seconds} s`);
  const run = (args: readonly string[]): Promise<void> =>
    runLogged({ command: "go", args, cwd: workDir, env, logFile, onHeartbeat: heartbeat, note: buildNote() });
  try {
    if (source.besideMain) layBesideMain(source.besideMain, workDir, env);
    const output = part.binaries.length === 1 ? join(partial, part.binaries[0] ?? "") : `${partial}/`;
    const ldflags = `-s -w ${source.ldflags}`;
    await run(["build", "-trimpath", "-ldflags", ldflags, "-o", output, ...source.packages]);
    if (source.keepFolder) keepFolder(source.keepFolder, workDir, env, partial, target);
    for (const binary of part.binaries) renameSync(join(partial, binary), join(target, binary));
  } finally {
    rmSync(partial, { recursive: true, force: true });
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** The wrapper stays as it is in the checkout: go writes nothing there, and schema.json lies only in the copy. */
function copyWrapper(part: ToolPart, source: GoSource): string {
  const workDir = cacheDir("work", part.name);
  rmSync(workDir, { recursive: true, force: true });
  cpSync(join(__dirname, "go", source.wrapper), workDir, { recursive: true });
  return workDir;
}

function layBesideMain(
  file: NonNullable<GoSource["besideMain"]>,
  workDir: string,
  env: NodeJS.ProcessEnv,
): void {
  const from = inModule(file, workDir, env);
  copyFileSync(from, join(workDir, file.path.split("/").at(-1) ?? file.path));
}

/** Before the binary is in its place: who finds the one finds the other. */
function keepFolder(
  folder: NonNullable<GoSource["keepFolder"]>,
  workDir: string,
  env: NodeJS.ProcessEnv,
  partial: string,
  target: string,
): void {
  const draft = join(partial, folder.as);
  // The module cache is read-only, which a copy would keep.
  cpSync(inModule(folder, workDir, env), draft, { recursive: true });
  chmodSync(draft, 0o755);
  rmSync(join(target, folder.as), { recursive: true, force: true });
  renameSync(draft, join(target, folder.as));
}

/** Path of a file or folder of a module that the wrapper requires. */
function inModule(
  wanted: { readonly module: string; readonly path: string },
  workDir: string,
  env: NodeJS.ProcessEnv,
): string {
  const args = ["mod", "download", "-json", wanted.module];
  const answer = spawnSync("go", args, { cwd: workDir, env, encoding: "utf8", maxBuffer: 1 << 24 });
  const dir = answer.status === 0 ? (JSON.parse(answer.stdout) as { Dir?: string }).Dir : undefined;
  const found = join(dir ?? "", wanted.path);
  if (!dir || !existsSync(found)) {
    throw new Error(
      `${wanted.path} of ${wanted.module} was not found (${answer.stderr.trim()}); it is part of the module.`,
    );
  }
  return found;
}

/** A user's GOFLAGS count, except -mod: it would let go change or bypass the pinned sums. */
function buildEnv(): NodeJS.ProcessEnv {
  const flags = (process.env["GOFLAGS"] ?? "")
    .split(/\s+/)
    .filter((flag) => flag && !/^--?mod(file)?=/.test(flag));
  const env: NodeJS.ProcessEnv = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  delete env["GOFLAGS"];
  return flags.length > 0 ? { ...env, GOFLAGS: flags.join(" ") } : env;
}

function sweepPartials(target: string): void {
  if (!existsSync(target)) return;
  for (const entry of readdirSync(target)) {
    if (entry.startsWith(PARTIAL)) rmSync(join(target, entry), { recursive: true, force: true });
  }
}
