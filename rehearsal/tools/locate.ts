import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { cacheDir } from "../cache";
import { isStaticBinary } from "./staticBinary";
import { partOf, type ToolPart } from "./toolList";
import { versionIn } from "./versionFit";

/** Where a part was found. */
export interface Found {
  /** Path of each binary of the part. */
  readonly paths: Readonly<Record<string, string>>;
  /** As the tool says itself or as its folder is named; undefined when it cannot be asked. */
  readonly version: string | undefined;
  readonly from: "PATH" | "system" | "user's plugins" | "cache" | "pulumi-home";
}

/** The answer to "is this part there?": what fits, and what was seen but does not fit. */
export interface Location {
  readonly found?: Found;
  readonly unfit?: { readonly path: string; readonly why: string };
}

const remembered = new Map<string, Found>();

/** The cache folder of a part that is built here. */
export function partDir(part: ToolPart): string {
  return cacheDir("tools", `${part.name}-${part.version}`);
}

/** The Pulumi home of the project's own, so that a user's is never touched. */
export function pulumiHome(): string {
  return cacheDir("pulumi-home");
}

/** Looks for a part: the user's own in a fitting version first, then the cache. What was found is remembered. */
export function locate(part: ToolPart): Location {
  const key = [part.name, process.env["PATH"], process.env["PULUMI_HOME"], cacheDir()].join("\0");
  const known = remembered.get(key);
  if (known) return { found: known };
  const own = part.pluginFolder ? inUserPlugins(part, part.pluginFolder) : onPath(part);
  const found = own.found ?? inCache(part);
  if (found) remembered.set(key, found);
  return { found, unfit: own.unfit };
}

/**
 * Path of a binary the rehearsal uses.
 * @throws when it is not there yet; `npm run tools` brings it.
 */
export function toolPath(binary: string): string {
  const part = partOf(binary);
  const { found, unfit } = locate(part);
  const path = found?.paths[binary];
  if (path) return path;
  const seen = unfit ? ` ${unfit.path} was seen, but ${unfit.why}.` : "";
  throw new Error(`"${binary}" (${part.name} ${part.fit.text}) was not found.${seen} Run: npm run tools`);
}

function onPath(part: ToolPart): Location {
  const dirs = part.besideBinary
    ? besideDirs(part.besideBinary)
    : (part.onlyIn ?? [...pathDirs(), ...(part.alsoIn ?? [])]);
  const paths: Record<string, string> = {};
  for (const binary of part.binaries) {
    const path = dirs.map((dir) => join(dir, binary)).find(isExecutable);
    if (!path) return {};
    paths[binary] = path;
  }
  const first = Object.values(paths)[0] ?? "";
  if (part.staticOnly && !isStaticBinary(first)) return { unfit: { path: first, why: "it is not static" } };
  const version = part.versionArgs ? askVersion(first, part.versionArgs) : undefined;
  if (!part.fit.accepts(version)) {
    const why = `its version is ${version ?? "not readable"}, and ${part.fit.text} is needed`;
    return { unfit: { path: first, why } };
  }
  return { found: { paths, version, from: part.onlyIn ? "system" : "PATH" } };
}

/** A language host is only known to fit the CLI that it was shipped with. */
function besideDirs(binary: string): string[] {
  const { found } = locate(partOf(binary));
  const path = found?.paths[binary];
  return path && found.from === "PATH" ? [dirname(path), dirname(realpathSync(path))] : [];
}

function inUserPlugins(part: ToolPart, folder: string): Location {
  const homes = [process.env["PULUMI_HOME"], join(homedir(), ".pulumi")];
  for (const home of homes) {
    if (!home || home === pulumiHome()) continue;
    const location = inFolder(part, join(home, "plugins", folder), "user's plugins");
    if (location.found) return location;
  }
  return {};
}

function inCache(part: ToolPart): Found | undefined {
  if (part.source.kind === "debian") return undefined;
  if (part.source.kind === "go") return inFolder(part, partDir(part), "cache").found;
  return inFolder(part, join(pulumiHome(), "plugins", part.pluginFolder ?? part.name), "pulumi-home").found;
}

function inFolder(part: ToolPart, folder: string, from: Found["from"]): Location {
  const paths = Object.fromEntries(part.binaries.map((binary) => [binary, join(folder, binary)]));
  if (!Object.values(paths).every(isExecutable)) return {};
  return { found: { paths, version: part.version, from } };
}

function pathDirs(): string[] {
  const dirs = (process.env["PATH"] ?? "").split(delimiter);
  return dirs.filter((dir) => dir !== "" && !dir.startsWith(cacheDir("tools")));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path) && statSync(path).isFile();
  } catch {
    return false;
  }
}

function askVersion(path: string, args: readonly string[]): string | undefined {
  const answer = spawnSync(path, args, {
    encoding: "utf8",
    timeout: 20_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return answer.error ? undefined : versionIn(`${answer.stdout}\n${answer.stderr}`);
}
