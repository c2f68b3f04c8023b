import { existsSync, readFileSync, rmSync, mkdirSync } from "node:fs";
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
    inputs: sourceFiles(main).map((file) => readFileSync(file, "utf8")),
  };
}

/**
 * The program's file and all of this project that it imports, sorted: an edit of any of them lets `up` start the
 * stand-in anew, also where stand-ins share a file.
 */
export function sourceFiles(main: string): string[] {
  const found = new Set<string>([main]);
  // A Set hands out what is added while it is walked.
  for (const file of found) {
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/\bfrom "(\.{1,2}\/[^"]+)"/g)) {
      found.add(join(dirname(file), `${path}.ts`));
    }
  }
  return [...found].sort();
}

/** Takes back an old ready file before a start. */
export function clearReady(name: string): void {
  mkdirSync(clusterDir("ready"), { recursive: true });
  rmSync(readyFile(name), { force: true });
}

export function isReady(name: string): boolean {
  return existsSync(readyFile(name));
}
