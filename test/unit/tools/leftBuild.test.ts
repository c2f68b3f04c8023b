import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endLeftBuild, noteBuild } from "../../../rehearsal/tools/leftBuild";
import { holderOf } from "../../../rehearsal/tools/lock";

describe("a build that a killed run left", () => {
  let dir: string;
  let note: string;
  const started: ChildProcess[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "left-"));
    note = join(dir, "tools.build");
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
    rmSync(dir, { recursive: true });
  });

  async function running(program: string): Promise<ChildProcess & { pid: number }> {
    const child = spawn(
      process.execPath,
      ["-e", `${program}; console.log("up"); setInterval(() => {}, 1000)`],
      {
        stdio: ["ignore", "pipe", "ignore"],
        env: {},
      },
    );
    started.push(child);
    await once(child.stdout, "data");
    return child as ChildProcess & { pid: number };
  }

  it("is ended, and is told by its process id", async () => {
    const child = await running("");
    const lines: string[] = [];
    noteBuild(note, child.pid);
    const ended = once(child, "exit");
    await endLeftBuild(note, (line) => lines.push(line));
    assert.deepEqual(await ended, [null, "SIGTERM"]);
    assert.match(lines[0] ?? "", new RegExp(`process ${child.pid}\\b`));
    assert.equal(existsSync(note), false);
  });

  it("is killed when it does not end in its time", async () => {
    const child = await running('process.on("SIGTERM", () => {})');
    noteBuild(note, child.pid);
    const ended = once(child, "exit");
    await endLeftBuild(note, () => undefined, 100);
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  });

  it("never costs another process that has its id by now", async () => {
    const child = await running("");
    writeFileSync(note, JSON.stringify({ ...holderOf(child.pid), startTime: "1" }));
    await endLeftBuild(note, () => assert.fail("nothing is left"));
    assert.equal(child.exitCode ?? child.signalCode, null);
    assert.doesNotThrow(() => process.kill(child.pid, 0));
  });

  it("is not looked for when no run was killed", () =>
    endLeftBuild(note, () => assert.fail("nothing is left")));
});
