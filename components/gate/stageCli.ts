import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { parseStageArguments, type StageArguments } from "./stageArguments";
import { runStage, STAGE_EXIT, type StageWorld } from "./stageRun";

/** `npm run stage -- STACK STAGE`: the way to bind an update to its preview. */
async function main(argv: readonly string[]): Promise<number> {
  let wanted: StageArguments;
  try {
    wanted = parseStageArguments(argv);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return STAGE_EXIT.failed;
  }
  return runStage(wanted, worldOf(wanted.json));
}

function worldOf(json: boolean): StageWorld {
  return {
    folder: process.cwd(),
    say,
    print: (line) => void process.stdout.write(`${line}\n`),
    ask,
    // For machines standard output holds the report alone.
    pulumi: (args, env) => pulumi(args, env, json ? 2 : 1),
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

function pulumi(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  output: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", output, 2],
    });
    // The terminal sends an interrupt to both: Pulumi ends the step in hand, and this process waits for it.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.once("error", (error) => reject(new Error(`pulumi cannot be started: ${error.message}`)));
    child.once("close", (code) => {
      process.off("SIGINT", wait);
      resolve(code ?? STAGE_EXIT.failed);
    });
  });
}

if (require.main === module) {
  void main(process.argv.slice(2)).then(
    (code) => void (process.exitCode = code),
    (error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      process.exitCode = STAGE_EXIT.failed;
    },
  );
}
