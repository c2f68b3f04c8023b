import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { takeLock, thisProcess } from "../../../rehearsal/tools/lock";

describe("the lock of the tools build", () => {
  let dir: string;
  let path: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lock-"));
    path = join(dir, "tools.lock");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("names its holder and leaves nothing when freed", async () => {
    const release = await takeLock(path);
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), thisProcess());
    release();
    assert.deepEqual(readdirSync(dir), []);
  });

  it("waits for a living holder and tells who it is", async () => {
    const release = await takeLock(path);
    const waitedFor: number[] = [];
    const second = takeLock(path, { onWait: (holder) => (waitedFor.push(holder.pid), release()), pollMs: 1 });
    (await second)();
    assert.deepEqual(waitedFor, [process.pid]);
  });

  it("gives up after its bound, with the holder's process id", async () => {
    await takeLock(path);
    await assert.rejects(
      takeLock(path, { timeoutMs: 1, pollMs: 2 }),
      new RegExp(`held by process ${process.pid}`),
    );
  });

  it("takes over from a holder that is dead", async () => {
    writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, startTime: "1" }));
    (await takeLock(path))();
    assert.equal(existsSync(path), false);
  });

  it("takes over when the holder's process id belongs to a later process", async () => {
    writeFileSync(path, JSON.stringify({ ...thisProcess(), startTime: "1" }));
    (await takeLock(path))();
    assert.equal(existsSync(path), false);
  });

  it("takes over from a zombie, which nobody may ever collect", async () => {
    // The child ends when `exec` has put a program in the shell's place that knows of no child and waits for none.
    const parent = spawn("/bin/sh", ["-c", "cat <&3 >/dev/null & echo $!; exec sleep 30"], {
      stdio: ["ignore", "pipe", "ignore", "pipe"],
    });
    const look = () => new Promise((resolve) => setTimeout(resolve, 5));
    try {
      const [text] = (await once(parent.stdout!, "data")) as [Buffer];
      const pid = Number(text.toString());
      const stat = (of = pid): string => readFileSync(`/proc/${of}/stat`, "utf8");
      while (!stat(parent.pid).includes("(sleep)")) await look();
      (parent.stdio[3] as Writable).end();
      while (!stat().includes(") Z ")) await look();
      const startTime = stat()
        .slice(stat().lastIndexOf(")") + 2)
        .split(" ")[19];
      writeFileSync(path, JSON.stringify({ pid, startTime }));
      (await takeLock(path, { timeoutMs: 100, pollMs: 1 }))();
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("lets only one of many at a time in, also over a dead holder", async () => {
    writeFileSync(path, "half-written");
    let inside = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const release = await takeLock(path, { pollMs: 10 });
        assert.equal(++inside, 1);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        release();
      }),
    );
  });
});
