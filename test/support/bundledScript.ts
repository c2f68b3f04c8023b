import { buildSync } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../components/projectRoot";

/**
 * One file of a script and all that it loads, made once a process: a test that starts the script many times would
 * otherwise pay a second for each. `folder` of the project is where its sources believe to lie.
 */
export function bundledScript(script: string, folder: string): string {
  const known = made.get(script);
  if (known !== undefined) return known;
  const own = mkdtempSync(join(tmpdir(), "bundled-script-"));
  process.on("exit", () => rmSync(own, { recursive: true, force: true }));
  const outfile = join(own, "script.cjs");
  buildSync({
    entryPoints: [script],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { __dirname: JSON.stringify(join(PROJECT_ROOT, folder)) },
    outfile,
    logLevel: "silent",
  });
  made.set(script, outfile);
  return outfile;
}

const made = new Map<string, string>();
