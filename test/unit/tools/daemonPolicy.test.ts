import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { installPackages } from "../../../rehearsal/tools/debian";
import { ensureTools } from "../../../rehearsal/tools/tools";
import { bundledScript } from "../../support/bundledScript";

// Stands for apt-get: notes whether daemons were forbidden, and hangs in "install" while the file "hold" is there. With
// the file "dpkg" it is in a package, and hears SIGINT only afterwards, as apt does.
const FAKE_APT = `#!/bin/sh
dir=$(dirname "$0")
if [ -f "$dir/dpkg" ]; then trap 'echo asked >> "$dir/calls"' INT; fi
if [ -f "$DPKG_ROOT/usr/sbin/policy-rc.d" ]; then echo "$1 forbidden"; else echo "$1 allowed"; fi >> "$dir/calls"
while [ "$1" = install ] && [ -f "$dir/hold" ]; do sleep 0.1; done
echo "$1 ended" >> "$dir/calls"
`;
const FAKE_OPENSSL = "#!/bin/sh\necho OpenSSL 3.0.0\n";

describe("the policy that keeps packages from starting daemons", () => {
  const before = { ...process.env };
  let dir: string;
  let bin: string;
  let policy: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "policy-"));
    bin = join(dir, "bin");
    policy = join(dir, "usr", "sbin", "policy-rc.d");
    mkdirSync(bin);
    mkdirSync(join(dir, "usr", "sbin"), { recursive: true });
    for (const [name, text] of [
      ["apt-get", FAKE_APT],
      ["openssl", FAKE_OPENSSL],
    ] as const) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
    Object.assign(process.env, {
      PATH: `${bin}:/usr/bin:/bin`,
      XDG_CACHE_HOME: join(dir, "cache"),
      DPKG_ROOT: dir,
    });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    // What was killed can still be writing its last file.
    rmSync(dir, { recursive: true, maxRetries: 10 });
  });

  function calls(): string[] {
    const path = join(bin, "calls");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }

  /** An installation that is in its middle. */
  async function installing(...args: string[]) {
    writeFileSync(join(bin, "hold"), "");
    const script = bundledScript(join(__dirname, "installFake.ts"), "rehearsal/tools");
    const run = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    run.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    const ended = new Promise<number | null>((resolve) => run.once("exit", resolve));
    await until(
      () => calls().includes("install forbidden"),
      "the installation began, with daemons forbidden",
    );
    return { run, ended, said: () => said };
  }

  /** Ends an installation in its middle. */
  async function endedBy(signal: NodeJS.Signals): Promise<void> {
    const { run, ended } = await installing();
    run.kill(signal);
    await ended;
    rmSync(join(bin, "hold"));
  }

  it("is gone after an installation", async () => {
    await installPackages(["etcd-server"], () => undefined);
    assert.deepEqual(calls(), ["update forbidden", "update ended", "install forbidden", "install ended"]);
    assert.equal(existsSync(policy), false);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`does not outlive an installation that ${signal} ends: no daemon would start on this machine again`, async () => {
      await endedBy(signal);
      assert.equal(existsSync(policy), false);
    });
  }

  it("stays until dpkg has ended its package after SIGTERM: cut off, it would leave it half-configured", async () => {
    writeFileSync(join(bin, "dpkg"), "");
    const { run, ended, said } = await installing();
    run.kill("SIGTERM");
    await until(() => calls().includes("asked"), "apt was asked to end");
    assert.deepEqual([run.exitCode, existsSync(policy)], [null, true]);
    rmSync(join(bin, "hold"));
    assert.equal(await ended, 143);
    assert.ok(calls().includes("install ended"));
    assert.equal(existsSync(policy), false);
    assert.match(said(), /SIGTERM: waiting for apt and dpkg to end/);
  });

  it("stays with a dpkg that does not end in its time, whose packages could start daemons yet", async () => {
    writeFileSync(join(bin, "dpkg"), "");
    const { run, ended, said } = await installing("200");
    run.kill("SIGTERM");
    assert.equal(await ended, 143);
    assert.equal(existsSync(policy), true);
    assert.match(said(), /apt-get \(process \d+\) still runs.*dpkg --configure -a/);
    rmSync(join(bin, "hold"));
    await until(() => calls().includes("install ended"), "apt ended");
  });

  it("is taken away by the next run after a kill, even when no tool is missing then", async () => {
    await endedBy("SIGKILL");
    assert.equal(existsSync(policy), true);
    await ensureTools(() => undefined, ["openssl"]);
    assert.equal(existsSync(policy), false);
  });

  it("is taken away by the next installation after a kill", async () => {
    await endedBy("SIGKILL");
    await installPackages(["etcd-server"], () => undefined);
    assert.equal(existsSync(policy), false);
  });

  it("of the user's own is kept", async () => {
    writeFileSync(policy, "#!/bin/sh\nexit 101\n");
    await installPackages(["etcd-server"], () => undefined);
    await ensureTools(() => undefined, ["openssl"]);
    await endedBy("SIGTERM");
    assert.equal(readFileSync(policy, "utf8"), "#!/bin/sh\nexit 101\n");
  });
});

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `within 15 s: ${what}`);
    await delay(10);
  }
}
