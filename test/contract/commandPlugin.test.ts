import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { clientBinaries, commandPlugin, ensureTools } from "../../rehearsal/tools/tools";
import { PulumiProject, type PulumiRun } from "./pulumiProject";

/** Writes a line to a file in the project, so that a test counts the runs of a command. */
const RECORD = ["node", "-e", `require("fs").appendFileSync("runs.log", process.argv[1] + "\\n")`];

describe("the installed command plugin", function () {
  this.timeout(180_000);
  let project: PulumiProject;

  before(async () => {
    await ensureTools((line) => console.error(line), clientBinaries);
    console.error(`    (the ${commandPlugin()} plugin is installed)`);
  });
  beforeEach(async () => {
    project = new PulumiProject();
    await project.init();
  });
  afterEach(() => project.remove());

  function written(name: string): string {
    const path = join(project.dir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  function runs(): string[] {
    return written("runs.log").split("\n").filter(Boolean);
  }
  function succeeded(run: PulumiRun): PulumiRun {
    assert.equal(run.code, 0, run.text);
    return run;
  }

  it("runs create once, in the update and not in the preview; an unchanged update runs nothing", async () => {
    project.write({ create: "created", interpreter: RECORD, delete: "deleted" });
    succeeded(await project.preview());
    assert.deepEqual(runs(), []);
    succeeded(await project.up());
    assert.deepEqual(runs(), ["created"]);
    const again = succeeded(await project.up());
    assert.deepEqual(runs(), ["created"]);
    assert.match(again.text, /unchanged/);
  });

  it("runs create again on a changed environment when update is left out", async () => {
    project.write({ create: "created", interpreter: RECORD, environment: { A: "1" } });
    succeeded(await project.up());
    const before = (await project.state()).probe?.id;
    project.write({ create: "created", interpreter: RECORD, environment: { A: "2" } });
    succeeded(await project.preview());
    assert.deepEqual(runs(), ["created"]);
    succeeded(await project.up());
    assert.deepEqual(runs(), ["created", "created"]);
    assert.equal((await project.state()).probe?.id, before);
  });

  it("runs update on a changed input, with the streams of the run before unless told not to", async () => {
    const command =
      'echo out; echo err >&2; echo "$KIND:$PULUMI_COMMAND_STDOUT:$PULUMI_COMMAND_STDERR" >> runs.log';
    const args = { create: command, update: `KIND=updated; ${command}` };
    project.write({ ...args, environment: { KIND: "created" } });
    succeeded(await project.up());
    project.write({ ...args, environment: { KIND: "again" } });
    succeeded(await project.up());
    project.write({ ...args, environment: { KIND: "third" }, addPreviousOutputInEnv: false });
    succeeded(await project.up());
    assert.deepEqual(runs(), ["created::", "updated:out:err", "updated::"]);
  });

  it("replaces on a changed trigger: the new one's create, then the old one's delete", async () => {
    project.write({ create: "created", delete: "deleted", interpreter: RECORD, triggers: ["1"] });
    succeeded(await project.up());
    const before = (await project.state()).probe?.id;
    project.write({ create: "created", delete: "deleted", interpreter: RECORD, triggers: ["2"] });
    assert.match(succeeded(await project.preview()).text, /replace/);
    succeeded(await project.up());
    assert.deepEqual(runs(), ["created", "created", "deleted"]);
    assert.notEqual((await project.state()).probe?.id, before);
  });

  it("runs delete on destroy, and leaves no resource", async () => {
    project.write({ create: "created", delete: "deleted", interpreter: RECORD });
    succeeded(await project.up());
    succeeded(await project.destroy());
    assert.deepEqual(runs(), ["created", "deleted"]);
    assert.equal((await project.state()).probe, undefined);
  });

  it("passes stdin, environment and dir to the command, and keeps its streams without the last line break", async () => {
    const create = `node -e 'process.stdin.pipe(process.stdout); console.error(process.env.PROBE, process.cwd())'`;
    project.write({
      create,
      stdin: "from stdin\n",
      environment: { PROBE: "from env" },
      dir: join(project.dir, "state"),
    });
    succeeded(await project.up());
    const outputs = (await project.state()).probe?.outputs;
    assert.equal(outputs?.["stdout"], "from stdin");
    assert.equal(outputs?.["stderr"], `from env ${join(project.dir, "state")}`);
  });

  it("hands the command to the interpreter as one argument that no shell expands", async () => {
    project.write({ create: '$HOME `id` "a b" * ;', interpreter: RECORD });
    succeeded(await project.up());
    assert.deepEqual(runs(), ['$HOME `id` "a b" * ;']);
  });

  it("shows the streams by default, and nothing of them with logging none", async () => {
    // Put together by the shell, so that the command text itself does not hold the words.
    const create = "echo first-$((40 + 2)); echo second-$((40 + 3)) >&2";
    project.write({ create, logging: "none" });
    assert.doesNotMatch(succeeded(await project.up()).text, /first-42|second-43/);
    project.write({ create, logging: "stdoutAndStderr" });
    assert.match(succeeded(await project.up()).text, /first-42|second-43/);
  });

  it("keeps secret inputs and additional secret outputs out of state and output", async () => {
    const create = 'cat; printf %s "$PROBE" >&2';
    const secrets = { stdin: "hunter2-in", environment: { PROBE: "hunter2-env" } };
    project.write({ create, logging: "none" }, secrets, { additionalSecretOutputs: ["stdout", "stderr"] });
    const run = succeeded(await project.up());
    const { probe, text } = await project.state();
    assert.doesNotMatch(run.text + text, /hunter2/);
    for (const name of ["stdin", "environment", "stdout", "stderr"]) {
      assert.match(JSON.stringify(probe?.outputs?.[name]), /"ciphertext"/, name);
    }
    project.write(
      { create, logging: "none" },
      { ...secrets, stdin: "hunter2-new" },
      { additionalSecretOutputs: ["stdout", "stderr"] },
    );
    const preview = succeeded(await project.preview());
    assert.match(preview.text, /\[secret\]/);
    assert.doesNotMatch(preview.text, /hunter2/);
  });

  it("fails with exit status and both streams, keeps nothing in state, and runs create again next time", async () => {
    project.write({ create: "echo to-out; echo to-err >&2; exit 3", logging: "none" });
    const run = await project.up();
    assert.notEqual(run.code, 0);
    assert.match(run.text, /exit status 3/);
    assert.match(run.text, /to-out/);
    assert.match(run.text, /to-err/);
    assert.equal((await project.state()).probe, undefined);
    project.write({ create: "created", interpreter: RECORD });
    succeeded(await project.up());
    assert.deepEqual(runs(), ["created"]);
  });

  it("keeps the old inputs when an update fails, so that the next update runs it again", async () => {
    project.write({ create: "exit 0", environment: { A: "1" } });
    succeeded(await project.up());
    project.write({ create: "exit 4", environment: { A: "2" } });
    assert.match((await project.up()).text, /exit status 4/);
    assert.deepEqual((await project.state()).probe?.inputs?.["environment"], { A: "1" });
  });

  it("ends the running command when the update is interrupted", async () => {
    project.write({ create: "echo $$ > pid; exec sleep 120" });
    const { child, finished } = project.startUp();
    const pid = await pidOfCommand();
    child.kill("SIGINT");
    const run = await finished;
    assert.notEqual(run.code, 0);
    await gone(pid, 10_000);
    assert.equal((await project.state()).probe, undefined);
  });

  it("leaves no command behind when pulumi itself is killed (only the stand-in promises it)", async function () {
    if (commandPlugin() !== "stand-in") return;
    project.write({ create: "echo $$ > pid; exec sleep 120" });
    const { child, finished } = project.startUp();
    const pid = await pidOfCommand();
    child.kill("SIGKILL");
    await gone(pid, 10_000);
    await finished;
  });

  async function pidOfCommand(): Promise<number> {
    const deadline = Date.now() + 60_000;
    while (!/^\d+\n/.test(written("pid"))) {
      assert.ok(Date.now() < deadline, "the command did not start within 60 s");
      await delay(50);
    }
    return Number(written("pid"));
  }

  async function gone(pid: number, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (isRunning(pid)) {
      assert.ok(Date.now() < deadline, `process ${pid} still runs after ${timeoutMs} ms`);
      await delay(50);
    }
  }
});

/** A zombie has ended; whether somebody reaps it is not the plugin's business. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
