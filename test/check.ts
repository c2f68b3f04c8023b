// npm run check: what has to be green before each commit. Format, lint and types keep what they found in
// node_modules/.cache, so that a second run looks at changed files only, and each property is tried on a tenth of its
// cases; `npm test` and CI look at all of them.
import { spawn } from "node:child_process";
import { join } from "node:path";

interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

const bin = (name: string) => join("node_modules/.bin", name);
const cache = (name: string) => join("node_modules/.cache/check", name);
// eslint needs the TypeScript before 7, and both lay their tsc into the same folder.
const TSC = "node_modules/typescript-7/bin/tsc";
const LOOKS: readonly Part[] = [
  {
    name: "lint",
    command: [
      bin("eslint"),
      "--cache",
      "--cache-strategy",
      "content",
      "--cache-location",
      cache("eslint"),
      ".",
    ],
  },
  { name: "types", command: [TSC, "--noEmit", "--incremental", "--tsBuildInfoFile", cache("tsc")] },
  {
    name: "format",
    command: [
      bin("prettier"),
      "--check",
      "--cache",
      "--cache-strategy",
      "content",
      "--cache-location",
      cache("prettier"),
      ".",
    ],
  },
];
const TESTS: Part = { name: "unit, property, script and git tests", command: [bin("mocha")] };

/** Runs one part; its output is shown whole at its end, since several run at once. */
function run({ name, command }: Part): Promise<boolean> {
  const started = Date.now();
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PROPERTY_RUNS: "tenth" },
    });
    let output = "";
    const keep = (chunk: Buffer) => (output += chunk.toString("utf8"));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stdout.write(`${output}=== ${name}: ${code === 0 ? "good" : "FAILED"} in ${seconds} s\n`);
      resolve(code === 0);
    });
  });
}

async function main(): Promise<void> {
  // All together: where a test waits for something, a look has the core.
  const [tests, ...looks] = await Promise.all([TESTS, ...LOOKS].map(run));
  process.exitCode = tests && looks.every(Boolean) ? 0 : 1;
}

void main();
