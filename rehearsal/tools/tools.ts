import { cacheDir } from "../cache";
import { allowDaemons, policyIsLeft } from "./daemonPolicy";
import { debianProblem, installPackages } from "./debian";
import { buildGoPart, buildNote, goProblem } from "./goBuild";
import { endLeftBuild } from "./leftBuild";
import { locate } from "./locate";
import { takeLock } from "./lock";
import { layPlugins, pluginsAreLaid } from "./pluginHome";
import { releaseOnSignal } from "./releaseOnSignal";
import { partOf, toolList, type DebianSource, type GoSource, type ToolPart } from "./toolList";

export { pulumiHome, toolPath } from "./locate";
export { commandPlugin, pulumiEnv } from "./pluginHome";
export { clientBinaries, fluxBinaries } from "./toolList";

/** Parts that are neither here nor can be made here. */
export class MissingToolsError extends Error {
  override readonly name = "MissingToolsError";
}

/** What stands in the way of making parts on this machine, in words; undefined means nothing does. */
export interface Obstacles {
  readonly platform?: string;
  readonly go?: string;
  readonly debian?: string;
}

/**
 * Makes every named tool available: nothing happens for what is already found.
 * @param log receives progress lines.
 * @param names binaries that are needed. @default every binary of toolList but the optional ones
 * @throws MissingToolsError when some can be had neither from PATH nor by building or installing them.
 */
export async function ensureTools(log: (line: string) => void, names?: readonly string[]): Promise<void> {
  const parts = wantedParts(names);
  const wantsPlugins = parts.some((part) => part.pluginFolder);
  const ready = (): boolean => missing(parts).length === 0 && (!wantsPlugins || pluginsAreLaid());
  if (ready() && !policyIsLeft()) return;
  refuseImpossible(missing(parts), obstacles());
  const release = await takeLock(cacheDir("tools.lock"), {
    onWait: (holder) => log(`Another run (process ${holder.pid}) is making the tools; waiting for it ...`),
  });
  const removeHandlers = releaseOnSignal(release);
  try {
    await endLeftBuild(buildNote(), log);
    // Whoever holds the lock is the only one that installs: a policy that is there was left by a killed run.
    allowDaemons();
    await make(missing(parts), log);
    if (wantsPlugins) layPlugins();
  } finally {
    removeHandlers();
    release();
  }
}

/** Gives one message that lists every part that cannot be made, and what to do instead; undefined when all can. */
export function impossibleMessage(parts: readonly ToolPart[], found: Obstacles): string | undefined {
  const lines = parts.flatMap((part) => {
    const why = found.platform ?? (part.source.kind === "go" ? found.go : found.debian);
    const how = part.source.kind === "debian" ? `package ${part.source.package}` : part.binaries.join(", ");
    return why ? [`  ${part.name} ${part.fit.text} (${how}): ${why}`] : [];
  });
  if (lines.length === 0) return undefined;
  return [
    `${lines.length} tool part(s) are missing and cannot be made here:`,
    ...lines,
    "Either put them on PATH and run this again, or run on Debian as root with Go installed,",
    "or bring a cluster of your own (kind, k3d or Talos with three nodes) and give its context:",
    "  npm run rehearse -- --context NAME",
    "Then only pulumi with its Node language host, the two plugins, helm, kubectl and openssl are needed.",
  ].join("\n");
}

function wantedParts(names: readonly string[] | undefined): readonly ToolPart[] {
  if (!names) return toolList.filter((part) => part.optional !== true);
  const wanted = new Set(names.map(partOf));
  return toolList.filter((part) => wanted.has(part));
}

/** The stand-in is never missing: laying it needs nothing but this checkout. */
function missing(parts: readonly ToolPart[]): readonly ToolPart[] {
  return parts.filter((part) => part.source.kind !== "stand-in" && !locate(part).found);
}

function obstacles(): Obstacles {
  if (process.platform !== "linux")
    return { platform: `this system is ${process.platform}, and Linux is needed` };
  return { go: goProblem(), debian: debianProblem() };
}

function refuseImpossible(parts: readonly ToolPart[], found: Obstacles): void {
  const message = impossibleMessage(parts, found);
  if (message) throw new MissingToolsError(message);
}

async function make(parts: readonly ToolPart[], log: (line: string) => void): Promise<void> {
  const packages = parts.flatMap((part) => (part.source.kind === "debian" ? [part.source.package] : []));
  if (packages.length > 0) {
    log(`Installing ${packages.length} Debian package(s): ${packages.join(", ")}`);
    await installPackages(packages, log);
    verifyMade(parts.filter((part) => part.source.kind === "debian"));
  }
  const builds = parts.filter((part): part is ToolPart & { source: GoSource } => part.source.kind === "go");
  for (const [index, part] of builds.entries()) {
    const started = Date.now();
    log(
      `Building ${index + 1} of ${builds.length}: ${part.name} ${part.version} (${part.binaries.join(", ")}) ...`,
    );
    await buildGoPart(part, part.source, log);
    verifyMade([part]);
    log(`Built ${part.name} in ${Math.round((Date.now() - started) / 1000)} s`);
  }
}

function verifyMade(parts: readonly ToolPart[]): void {
  for (const part of parts) {
    const { found, unfit } = locate(part);
    if (found) continue;
    const seen = unfit ? `${unfit.path}, but ${unfit.why}` : "nothing";
    const how = part.source.kind === "debian" ? installedFrom(part.source) : "its build";
    throw new Error(`After ${how}, ${part.name} ${part.fit.text} was expected; found ${seen}.`);
  }
}

function installedFrom(source: DebianSource): string {
  return `installing the Debian package ${source.package}`;
}
