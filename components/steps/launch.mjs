// Starts one step: node components/steps/launch.mjs components/steps/scripts/NAME.ts
// All scripts are made into one file and run from there. Where that fails, the sources run as they are.
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPTS = "components/steps/scripts";
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(import.meta.url);
const { oneFile } = require("../oneFile.cjs");

function stepsFile() {
  const scripts = readdirSync(join(root, SCRIPTS)).filter((name) => name.endsWith(".ts"));
  const steps = scripts.map((name) => `  ${JSON.stringify(name)}: () => require("./${name}").default,`);
  const contents = `export { main } from "../runStep";\nexport const steps = {\n${steps.join("\n")}\n};`;
  return oneFile({ name: "steps", contents, resolveDir: SCRIPTS });
}

function load(script) {
  try {
    const { main, steps } = require(stepsFile());
    return { main, step: steps[basename(script)]() };
  } catch (error) {
    process.stderr.write(`the step runs from its sources, which is slower: ${error.message}\n`);
    require("tsx/cjs");
    return { main: require("./runStep.ts").main, step: require(script).default };
  }
}

const script = resolve(process.argv[2] ?? "");
if (!script.endsWith(".ts") || !existsSync(script)) throw new Error(`${script} is no step's script`);
const { main, step } = load(script);
main(step);
