import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { watchProcesses, type ProcessWatch } from "../../rehearsal/processWatch";
import { forms, textsWith } from "../../rehearsal/leaks/leakScan";

const SECRET = "canary-in-the-words-9f2c";
/** A shell with another below it, which has the same words. */
const PARENT = `exec 3<&0; sh -c 'echo up; read never' child "$@" <&3 & wait`;

describe("the watch over arguments and environments (hazards section 3)", () => {
  let watch: ProcessWatch | undefined;
  afterEach(() => watch?.stop().catch(() => undefined));

  /** A process that starts another one with the given words, until its standard input ends. */
  async function parentOf(args: readonly string[], env: NodeJS.ProcessEnv) {
    const parent = spawn("sh", ["-c", PARENT, "parent", ...args], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    await once(parent.stdout, "data");
    return parent;
  }

  async function seenOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
    const parent = await parentOf(args, env);
    watch = watchProcesses(parent.pid ?? 0, { everyMs: 5 });
    parent.stdin.end();
    await once(parent, "exit");
    return textsWith(forms(SECRET), await watch.stop());
  }

  it("finds a secret in the arguments of a process below the watched one", async () => {
    const found = await seenOf(["--key", SECRET], {});
    assert.ok(
      found.some((where) => where.startsWith("arguments of ")),
      found.join("; "),
    );
  });

  it("finds a secret in an environment below it, by the variable's name and in base64", async () => {
    const found = await seenOf([], { TOKEN: Buffer.from(`x${SECRET}x`).toString("base64") });
    assert.equal(found.length, 1);
    assert.match(found[0]!, /^TOKEN in the environment of \S+ \(process \d+\)$/);
  });

  it("does not look at processes beside the watched one", async () => {
    const beside = await parentOf([], { TOKEN: SECRET });
    const parent = await parentOf([], {});
    watch = watchProcesses(parent.pid ?? 0, { everyMs: 5 });
    const seen = await watch.stop();
    for (const one of [parent, beside]) one.stdin.end();
    await Promise.all([once(parent, "exit"), once(beside, "exit")]);
    assert.deepEqual(textsWith(forms(SECRET), seen), []);
    assert.ok(seen.length > 0);
  });

  it("finds what a process becomes by an exec long after its start, in at most 20 looks", async () => {
    const script = `echo up; read first; exec sh -c 'echo changed; read never'`;
    const old = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    await once(old.stdout, "data");
    let time = Date.now();
    watch = watchProcesses(old.pid ?? 0, { everyMs: 3_600_000, now: () => time });
    time += 60_000;
    old.stdin.write("go on\n");
    await once(old.stdout, "data");
    for (let look = 0; look < 20; look++) watch.look();
    old.stdin.end();
    await once(old, "exit");
    const words = (await watch.stop()).map(({ text }) => text);
    assert.ok(
      words.some((text) => text.startsWith("sh -c echo changed")),
      words.join("\n"),
    );
  });

  it("says when it could not keep all: a scan of half would prove nothing", async () => {
    const parent = await parentOf([], {});
    const full = watchProcesses(parent.pid ?? 0, { maxLength: 10 });
    parent.stdin.end();
    await once(parent, "exit");
    await assert.rejects(full.stop(), /did not fit into 10 characters/);
  });
});
