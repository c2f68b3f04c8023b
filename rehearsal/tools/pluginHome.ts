import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { layStandIn, STAND_IN_MARK, standInIsLaid } from "./commandStandIn";
import { locate, pulumiHome, toolPath } from "./locate";
import { partOf, type ToolPart } from "./toolList";

/** What the command plugin in the project's Pulumi home is. */
export type CommandPlugin = "real" | "stand-in" | "missing";

/**
 * Lays the plugins into the project's Pulumi home: links to real ones, and the stand-in of the command plugin where no
 * real one is found. A stand-in made from other sources is laid again.
 */
export function layPlugins(): void {
  const kubernetes = partOf("pulumi-resource-kubernetes");
  link(toolPath("pulumi-resource-kubernetes"), pluginPath(kubernetes));
  const command = partOf("pulumi-resource-command");
  const { found } = locate(command);
  const real = found?.from === "user's plugins" ? found.paths["pulumi-resource-command"] : undefined;
  if (real) link(real, pluginPath(command));
  else if (commandPlugin() !== "real" && !standInIsLaid(pluginPath(command))) layStandIn(pluginPath(command));
}

/** Tells whether the project's Pulumi home holds the real command plugin or the stand-in. */
export function commandPlugin(): CommandPlugin {
  const text = readStart(pluginPath(partOf("pulumi-resource-command")));
  if (text === undefined) return "missing";
  return text.includes(STAND_IN_MARK) ? "stand-in" : "real";
}

/** Tells whether the plugins lie as `layPlugins` would lay them, so that a second run writes nothing. */
export function pluginsAreLaid(): boolean {
  const kubernetes = partOf("pulumi-resource-kubernetes");
  const wanted = locate(kubernetes).found?.paths["pulumi-resource-kubernetes"];
  if (!wanted || linkTarget(pluginPath(kubernetes)) !== wanted) return false;
  const command = partOf("pulumi-resource-command");
  const real = locate(command).found;
  if (real?.from === "user's plugins")
    return linkTarget(pluginPath(command)) === real.paths["pulumi-resource-command"];
  return commandPlugin() === "real" || standInIsLaid(pluginPath(command));
}

/**
 * The environment that makes every pulumi process use the project's tools and no network.
 * @throws when the CLI or the language host is not there yet.
 */
export function pulumiEnv(): NodeJS.ProcessEnv {
  const dirs = [toolPath("pulumi"), toolPath("pulumi-language-nodejs"), process.execPath].map(dirname);
  return {
    PATH: [...new Set(dirs), process.env["PATH"] ?? ""].join(delimiter),
    PULUMI_HOME: pulumiHome(),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // A language host that knows no options checks all types before it runs the program; `npm run check` does that.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  };
}

function pluginPath(part: ToolPart): string {
  return join(pulumiHome(), "plugins", part.pluginFolder ?? "", part.binaries[0] ?? "");
}

function link(target: string, path: string): void {
  if (target === path || linkTarget(path) === target) return;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, path);
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A real plugin is a large binary, and a launcher is short: only a short file is read. */
function readStart(path: string): string | undefined {
  try {
    return lstatSync(path).size > 4096 || linkTarget(path) ? "" : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
