// Starts one step: node components/steps/launch.mjs components/steps/scripts/NAME.ts
// To load a step from its sources takes a second and more, and steps run inside the outage. So all scripts are made into
// one file, once for each state of the sources, and run from there. Where that fails, the sources run as they are.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = join(root, "node_modules/.cache/openbao-raft-migration");
const require = createRequire(import.meta.url);

/** The file's name holds the digest of all that it is made of: one of other sources is never run. */
function bundlePath() {
  const sources = readdirSync(join(root, "components"), { recursive: true })
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => join("components", name));
  const hash = createHash("sha256").update(`${root}\0`);
  for (const name of ["package-lock.json", "config.ts", ...sources.sort()]) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update("\0");
  }
  return join(folder, `steps-${hash.digest("hex")}.cjs`);
}

async function makeBundle(path) {
  const { build } = await import("esbuild");
  const scripts = readdirSync(join(root, "components/steps/scripts")).filter((name) => name.endsWith(".ts"));
  const steps = scripts.map((name) => `  ${JSON.stringify(name)}: () => require("./${name}").default,`);
  const partial = join(folder, `${process.pid}.steps.cjs`);
  mkdirSync(folder, { recursive: true });
  await build({
    stdin: {
      contents: `export { main } from "../runStep";\nexport const steps = {\n${steps.join("\n")}\n};`,
      resolveDir: join(root, "components/steps/scripts"),
    },
    bundle: true,
    platform: "node",
    target: "node20",
    // node_modules may be a link to elsewhere: the project is where its sources are.
    define: { __dirname: JSON.stringify(join(root, "components")) },
    format: "cjs",
    outfile: partial,
    logLevel: "silent",
  });
  renameSync(partial, path);
  for (const name of readdirSync(folder)) {
    if (/^steps-.*\.cjs$/.test(name) && name !== basename(path)) rmSync(join(folder, name), { force: true });
  }
}

async function load(script) {
  try {
    const path = bundlePath();
    if (!existsSync(path)) await makeBundle(path);
    const { main, steps } = require(path);
    return { main, step: steps[basename(script)]() };
  } catch (error) {
    process.stderr.write(`the step runs from its sources, which is slower: ${error.message}\n`);
    require("tsx/cjs");
    return { main: require("./runStep.ts").main, step: require(script).default };
  }
}

const script = resolve(process.argv[2] ?? "");
if (!script.endsWith(".ts") || !existsSync(script)) throw new Error(`${script} is no step's script`);
const { main, step } = await load(script);
main(step);
