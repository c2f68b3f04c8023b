import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { whatIsLeft } from "../../rehearsal/interrupt";
import { holderOf, isAlive } from "../../rehearsal/tools/lock";

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

  /** Interrupts a rehearsal whose pulumi is `script`, which writes its process ids to the file "pids" first. */
  async function interrupted(signals: readonly NodeJS.Signals[], script: string, graceMs = 60_000) {
    const args = [join(__dirname, "interruptedRun.ts"), `cd ${dir}; ${script}`, join(dir, "stopped")];
    const run = spawn(process.execPath, ["--import", "tsx", ...args, String(graceMs)]);
    let output = "";
    run.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    const ended = new Promise<number | null>((resolve) => run.once("close", resolve));
    await until(() => wordsOf("pids").endsWith("\n"), "pulumi runs");
    const pulumi = wordsOf("pids")
      .trim()
      .split(" ")
      .map((pid) => holderOf(Number(pid)));
    for (const signal of signals) {
      run.kill(signal);
      await delay(signals.length > 1 ? 1100 : 0);
    }
    return { code: await ended, output, alive: pulumi.filter(isAlive).length };
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`by ${signal}: pulumi may end its step, the stand-ins are ended, and the cluster's removal is named`, async () => {
      const script = `trap 'echo asked > asked; exit 0' INT; echo $$ > pids; while :; do sleep 0.02; done`;
      const { code, output, alive } = await interrupted([signal], script);
      assert.equal(code, 130);
      assert.equal(wordsOf("asked"), "asked\n");
      assert.equal(alive, 0, "no move goes on alone: the next run would remove its namespaces");
      assert.ok(existsSync(join(dir, "stopped")));
      assert.match(output, /left up; .*`npm run cluster -- down` removes it/);
    });
  }

  // A step and a plugin have process groups of their own, so that the group's signal does not reach them.
  const deaf = `trap '' INT; setsid sh -c 'echo $PPID $$ > pids; while :; do sleep 0.02; done'; sleep 60`;

  it("leaves no step behind when pulumi does not end in its time", async () => {
    const { code, alive } = await interrupted(["SIGINT"], deaf, 200);
    assert.deepEqual([code, alive], [130, 0]);
    assert.ok(existsSync(join(dir, "stopped")));
  });

  it("waits no longer when it is asked a second time", async () => {
    const { code, alive } = await interrupted(["SIGINT", "SIGINT"], deaf);
    assert.deepEqual([code, alive], [130, 0]);
  });

  it("names what it leaves on a cluster of the user's own", () =>
    assert.match(whatIsLeft("kind-a"), /kubectl --context 'kind-a' delete namespace openbao openbao-client/));
});

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `within 15 s: ${what}`);
    await delay(10);
  }
}
