import { spawn } from "node:child_process";
import { down, up } from "../rehearsal/cluster/cluster";
import { ensureTools } from "../rehearsal/tools/tools";
import { countOf, failuresOf, type Count } from "./mochaCount";

/** One part of `npm test`; mocha parts are counted by their own summary, the others as one each. */
interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

const MOCHA = ["npx", "mocha", "--exit"];
const WITHOUT_CLUSTER: readonly Part[] = [
  { name: "format", command: ["npm", "run", "-s", "format"] },
  { name: "lint", command: ["npm", "run", "-s", "lint"] },
  { name: "types", command: ["npm", "run", "-s", "typecheck"] },
  { name: "unit, property, script and git tests", command: ["npx", "mocha"] },
  { name: "positive controls", command: ["npx", "mocha", "--config", "test/controls/.mocharc.json"] },
];
const WITH_CLUSTER: readonly Part[] = [
  { name: "contract tests", command: [...MOCHA, "--config", "test/contract/.mocharc.json"] },
  { name: "the rehearsal", command: [...MOCHA, "--config", "test/e2e/.mocharc.json"] },
];

interface Ended {
  readonly count: Count;
  readonly output: string;
}

/** Runs one part with its output shown as it comes. */
function run(part: Part): Promise<Ended> {
  console.log(`\n=== ${part.name}`);
  const [command = "", ...args] = part.command;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      process.stdout.write(chunk);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ count: countOf(output, code ?? 1), output }));
  });
}

/** The cluster's removal is a test, too: it throws by name at anything that it leaves. */
async function remove(total: Count): Promise<void> {
  try {
    await down(console.log);
    total.passed += 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    total.failed += 1;
  }
}

async function main(): Promise<void> {
  const total: Count = { passed: 0, failed: 0 };
  const failures: string[] = [];
  const add = async (parts: readonly Part[]) => {
    for (const part of parts) {
      const { count, output } = await run(part);
      total.passed += count.passed;
      total.failed += count.failed;
      if (count.failed > 0) failures.push(`=== failed: ${part.name}\n${failuresOf(output)}`);
    }
  };
  try {
    await add(WITHOUT_CLUSTER);
    await ensureTools(console.log);
    await up(console.log);
    await add(WITH_CLUSTER);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    total.failed += 1;
  } finally {
    // Nothing of ours is left running, mounted or in the network. A developer's own cluster is kept by KEEP_CLUSTER=1.
    if (process.env["KEEP_CLUSTER"] !== "1") await remove(total);
  }
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
  if (failures.length > 0) console.log(`\n${failures.join("\n\n")}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
}

void main();
