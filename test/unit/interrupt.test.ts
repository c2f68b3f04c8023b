import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { whatIsLeft } from "../../rehearsal/interrupt";
import { holderOf, isAlive } from "../../rehearsal/tools/lock";
import { bundledScript } from "../support/bundledScript";

describe("a rehearsal that is interrupted in a stage", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "interrupt-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const wordsOf = (name: string): string => {
    const path = join(dir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };

  /** Interrupts a rehearsal whose pulumi is `pulumiScript`, which writes its process ids to the file "pids" first. */
  async function interrupted(
    signal: NodeJS.Signals,
    pulumiScript: string,
    { graceMs = 60_000, again = false } = {},
  ) {
    const pulumi = `#!/bin/sh\nif [ "$1" = version ]; then echo v3.259.0; exit 0; fi\ncd ${dir}\nmkfifo pipe\n${pulumiScript}\n`;
    writeFileSync(join(dir, "pulumi"), pulumi, { mode: 0o755 });
    writeFileSync(join(dir, "pulumi-language-nodejs"), "#!/bin/sh\n", { mode: 0o755 });
    const script = bundledScript(join(__dirname, "interruptedRun.ts"), "rehearsal");
    const run = spawn(process.execPath, [script, dir, String(graceMs)], {
      env: { ...process.env, PATH: `${dir}:/usr/bin:/bin`, XDG_CACHE_HOME: join(dir, "cache") },
    });
    let output = "";
    run.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    run.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    const ended = new Promise<number | null>((resolve) => run.once("close", resolve));
    await until(
      () => wordsOf("pids").endsWith("\n"),
      () => `pulumi runs: ${output}`,
    );
    const left = wordsOf("pids")
      .trim()
      .split(" ")
      .map((pid) => holderOf(Number(pid)));
    run.kill(signal);
    const wishes = again ? setInterval(() => run.kill(signal), 100) : undefined;
    const code = await ended;
    clearInterval(wishes);
    return { code, output, alive: left.filter(isAlive).length };
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`by ${signal}: pulumi may end its step, the stand-ins are ended, and the cluster's removal is named`, async () => {
      const script = `trap 'echo asked > asked; exit 0' INT; exec 3<>pipe; echo $$ > pids; read never <&3`;
      const { code, output, alive } = await interrupted(signal, script);
      assert.equal(code, 130);
      assert.equal(wordsOf("asked"), "asked\n");
      assert.equal(alive, 0, "no move goes on alone: the next run would remove its namespaces");
      assert.ok(existsSync(join(dir, "stopped")));
      assert.equal(existsSync(join(dir, "went on")), false, "the end of pulumi is taken for no failed stage");
      assert.match(output, /left up; .*`npm run cluster -- down` removes it/);
    });
  }

  // A step and a plugin have process groups of their own, so that the group's signal does not reach them.
  const deaf = `trap '' INT; setsid sh -c 'echo $PPID $$ > pids; exec sleep 60'; sleep 60`;

  it("leaves no step behind when pulumi does not end in its time", async () => {
    const { code, alive } = await interrupted("SIGINT", deaf, { graceMs: 200 });
    assert.deepEqual([code, alive], [130, 0]);
    assert.ok(existsSync(join(dir, "stopped")));
  });

  it("waits no longer when it is asked a second time", async () => {
    const { code, alive } = await interrupted("SIGINT", deaf, { again: true });
    assert.deepEqual([code, alive], [130, 0]);
  });

  it("names what it leaves on a cluster of the user's own", () =>
    assert.match(whatIsLeft("kind-a"), /kubectl --context 'kind-a' delete namespace openbao openbao-client/));
});

describe("a program that starts pulumi on the throw-away cluster", () => {
  const root = join(__dirname, "../..");
  for (const program of ["rehearsal/rehearse.ts", "rehearsal/bench/bench.ts", "test/faults/cli.ts"]) {
    it(`ends it on a signal: ${program} (F3)`, () => {
      const text = readFileSync(join(root, program), "utf8");
      assert.match(
        text,
        /\n {2,4}end(ThrowAway)?OnSignal\(/,
        "else the move goes on alone below the next run",
      );
    });
  }
});

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `within 40 s: ${what()}`);
    await delay(10);
  }
}
