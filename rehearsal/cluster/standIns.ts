import { existsSync, readdirSync, readFileSync, rmSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { clusterDir, kubeconfigPath, nodeLayouts, volumesDir } from "./layout";
import type { ProcessSpec } from "./processes";

const PROJECT = join(__dirname, "..", "..");

/** The file that a stand-in makes when it does its work. */
export function readyFile(name: string): string {
  return clusterDir("ready", name);
}

/** What a real cluster gets from a storage driver and a network plugin; both are Node programs of this project. */
export function standInSpecs(): ProcessSpec[] {
  const netns = nodeLayouts().map((node) => `${node.name}=${node.netns}`);
  return [
    standIn("localPathProvisioner", { REHEARSAL_VOLUMES_DIR: volumesDir() }),
    standIn("networkPolicy", { REHEARSAL_NETNS: netns.join(",") }),
  ];
}

function standIn(name: string, environment: Record<string, string>): ProcessSpec {
  const main = join(PROJECT, "rehearsal", "standins", name, "main.ts");
  return {
    name,
    argv: [process.execPath, "--import", "tsx", main],
    cwd: PROJECT,
    environment: { ...environment, KUBECONFIG: kubeconfigPath(), REHEARSAL_READY_FILE: readyFile(name) },
    inputs: sources(dirname(main)),
  };
}

/** The program's text, so that an edited stand-in is started anew by `up`. */
function sources(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  return names.sort().map((name) => readFileSync(join(folder, name), "utf8"));
}

/** Takes back an old ready file before a start. */
export function clearReady(name: string): void {
  mkdirSync(clusterDir("ready"), { recursive: true });
  rmSync(readyFile(name), { force: true });
}

export function isReady(name: string): boolean {
  return existsSync(readyFile(name));
}
