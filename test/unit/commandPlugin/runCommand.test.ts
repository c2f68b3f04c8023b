import assert from "node:assert/strict";
import type { CommandInputs } from "../../../rehearsal/standins/commandPlugin/commandInputs";
import { runCommand } from "../../../rehearsal/standins/commandPlugin/runCommand";

const quiet = { onLine: () => undefined };

describe("the command stand-in's run", () => {
  it("gives each stream without its last line break", async () => {
    const outputs = await runCommand("printf 'a\\n\\n'; echo b >&2", {}, quiet);
    assert.deepEqual(outputs, { stdout: "a\n", stderr: "b" });
  });

  it("appends the command to the interpreter as one argument, which nothing expands", async () => {
    const interpreter = [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))"];
    const { stdout } = await runCommand("$HOME `id` a b", { interpreter }, quiet);
    assert.equal(stdout, '["$HOME `id` a b"]');
  });

  const streams: readonly [CommandInputs["logging"], string[]][] = [
    [undefined, ["err", "out"]],
    ["stdout", ["out"]],
    ["stderr", ["err"]],
    ["none", []],
  ];
  for (const [logging, expected] of streams) {
    it(`shows ${expected.join(" and ") || "nothing"} with logging ${logging ?? "left out"}`, async () => {
      const lines: string[] = [];
      await runCommand("echo out; echo err >&2", { logging }, { onLine: (line) => lines.push(line) });
      assert.deepEqual(lines.sort(), expected);
    });
  }

  it("fails with exit status, command and both streams, whatever logging says", async () => {
    const run = runCommand("echo out; echo err >&2; exit 3", { logging: "none" }, quiet);
    await assert.rejects(run, (error: Error) => {
      assert.match(error.message, /^exit status 3: running "echo out; /);
      assert.match(error.message, /\bout\n/);
      assert.match(error.message, /\berr\n/);
      return true;
    });
  });

  it("keeps a failure text within what an HTTP/2 header carries", async () => {
    const program = "process.stdout.write('\\u{1F600} '.repeat(60000), () => process.exit(1))";
    const run = runCommand(program, { interpreter: [process.execPath, "-e"] }, quiet);
    await assert.rejects(run, (error: Error) => {
      assert.ok(encodeURI(error.message).length < 60_000);
      assert.match(error.message, /characters are left out/);
      return true;
    });
  });

  it("fails when the program cannot be started", async () => {
    await assert.rejects(runCommand("x", { interpreter: ["/nonexistent"] }, quiet), /ENOENT: running "x"/);
  });

  it("passes stdin, and does not mind a command that reads none", async () => {
    assert.equal((await runCommand("cat", { stdin: "in" }, quiet)).stdout, "in");
    assert.equal((await runCommand("true", { stdin: "x".repeat(1 << 20) }, quiet)).stdout, "");
  });

  it("puts the streams of the run before in the environment, unless told not to", async () => {
    const previous = { stdout: "o", stderr: "e" };
    const command = 'echo "$PULUMI_COMMAND_STDOUT$PULUMI_COMMAND_STDERR"';
    assert.equal((await runCommand(command, {}, { ...quiet, previous })).stdout, "oe");
    const inputs = { addPreviousOutputInEnv: false };
    assert.equal((await runCommand(command, inputs, { ...quiet, previous })).stdout, "");
  });

  it("kills a command that takes longer than its custom timeout", async () => {
    const run = runCommand("exec sleep 60", {}, { ...quiet, timeoutSeconds: 0.05 });
    await assert.rejects(run, /^Error: signal: SIGKILL: running/);
  });
});
