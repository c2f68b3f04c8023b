import type * as Library from "@kubernetes/client-node";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../projectRoot";

const PACKAGE = "@kubernetes/client-node";

/** The parts of @kubernetes/client-node that run in each step. */
// The path is known only at run time, and steps are CommonJS.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const library = require(libraryPath(join(PROJECT_ROOT, "node_modules"))) as typeof Library;

export const KubeConfig = library.KubeConfig;
export type KubeConfig = Library.KubeConfig;
export const PortForward = library.PortForward;

/**
 * The one file that bundleLibrary.mjs made of the package, or the package's own name where there is none. The file's
 * name holds the installed version: one of another version is never used.
 */
export function libraryPath(modules: string): string {
  const installed = join(modules, PACKAGE, "package.json");
  if (!existsSync(installed)) return PACKAGE;
  const { version } = JSON.parse(readFileSync(installed, "utf8")) as { version: string };
  const bundle = join(modules, ".cache/openbao-raft-migration", `client-node-${version}.cjs`);
  return existsSync(bundle) ? bundle : PACKAGE;
}
