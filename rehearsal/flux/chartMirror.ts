import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const CHART = join(__dirname, "..", "standins", "chart", "openbao");

/** Packs the rehearsal's chart into `folder` and writes the index of a Helm repository beside it. */
export async function packChart(helm: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const run = (...args: string[]) => promisify(execFile)(helm, args, { timeout: 60_000 });
  await run("package", CHART, "--destination", folder);
  await run("repo", "index", folder);
}
