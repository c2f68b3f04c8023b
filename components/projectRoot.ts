import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The project's folder: the nearest one above this file that holds Pulumi.yaml. A fixed number of folders up will not
 * do: the steps also run from the one file that launch.mjs makes of them.
 */
export const PROJECT_ROOT = above(__dirname);

function above(folder: string): string {
  if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no Pulumi.yaml in any folder above ${__dirname}`);
  return above(parent);
}
