import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { holderOf, isAlive } from "../../../rehearsal/tools/lock";
import { ensureTools, toolPath } from "../../../rehearsal/tools/tools";
import { bundledScript } from "../../support/bundledScript";

// Stands for the real go: notes how it was called, and builds when the file "hold" is not there.
const FAKE_GO = `#!/bin/sh
dir=$(dirname "$0")
if [ "$1" = version ]; then echo "go version go1.26.0 linux/amd64"; exit 0; fi
echo "$$ GOFLAGS=$GOFLAGS CGO_ENABLED=$CGO_ENABLED $*" >> "$dir/calls"
if [ -f "$dir/fail" ]; then echo "undefined: something"; exit 2; fi
while [ "$1" != -o ]; do shift; done
echo half > "$2"
while [ -f "$dir/hold" ]; do sleep 0.1; done
printf '#!/bin/sh\\necho CoreDNS-1.13.1\\n' > "$2"
chmod +x "$2"
`;

describe("making a missing tool", () => {
  const before = { ...process.env };
  let dir: string;
  let bin: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "ensure-"));
    bin = join(dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "go"), FAKE_GO);
    chmodSync(join(bin, "go"), 0o755);
    const PATH = `${bin}:/usr/bin:/bin`;
    Object.assign(process.env, {
      PATH,
      XDG_CACHE_HOME: join(dir, "cache"),
      GOFLAGS: "-buildvcs=false -mod=mod",
    });
  });
  afterEach(() => {
    // Not a new object in its place: os.homedir() and child processes look at the real environment.
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    rmSync(dir, { recursive: true });
  });

  function calls(): string[] {
    const path = join(bin, "calls");
    // The shell makes the file before it writes the line.
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }
  function cached(): string[] {
    return readdirSync(join(dir, "cache", "openbao-raft-migration", "tools", "coredns-1.13.1")).sort();
  }

  it("builds it into the cache with the pinned flags, tells how far it is, and does nothing the second time", async () => {
    const lines: string[] = [];
    await ensureTools((line) => lines.push(line), ["coredns"]);
    assert.match(lines[0] ?? "", /^Building 1 of 1: coredns 1\.13\.1/);
    assert.match(lines[1] ?? "", /^Built coredns in \d+ s/);
    assert.deepEqual(cached(), ["build.log", "coredns"]);
    assert.match(toolPath("coredns"), /coredns-1\.13\.1\/coredns$/);
    await ensureTools((line) => lines.push(line), ["coredns"]);
    assert.equal(lines.length, 2);
    assert.equal(calls().length, 1);
    assert.match(calls()[0] ?? "", / CGO_ENABLED=0 build -trimpath -ldflags -s -w {2}-o \S+ \.$/);
  });

  it("keeps a user's GOFLAGS, except the one that would bypass the pinned sums", async () => {
    await ensureTools(() => undefined, ["coredns"]);
    assert.match(calls()[0] ?? "", /GOFLAGS=-buildvcs=false CGO/);
  });

  it("fails with the last lines of the build's output, leaves no binary, and frees the lock", async () => {
    writeFileSync(join(bin, "fail"), "");
    await assert.rejects(
      ensureTools(() => undefined, ["coredns"]),
      /"go build" ended with exit code 2; expected exit code 0\. The whole output is in .*build\.log.*\n {2}undefined: something/,
    );
    assert.deepEqual(cached(), ["build.log"]);
    rmSync(join(bin, "fail"));
    await ensureTools(() => undefined, ["coredns"]);
    assert.deepEqual(cached(), ["build.log", "coredns"]);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`leaves no half binary when it is ended by ${signal}, and starts again next time`, async () => {
      writeFileSync(join(bin, "hold"), "");
      const run = spawn(
        process.execPath,
        [bundledScript(join(__dirname, "makeCoredns.ts"), "rehearsal/tools")],
        {
          stdio: "ignore",
        },
      );
      const ended = new Promise((resolve) => run.once("exit", resolve));
      const note = join(dir, "cache", "openbao-raft-migration", "tools.build");
      await until(() => calls().length === 1 && existsSync(note), "the build started and is noted");
      const first = holderOf(Number(calls()[0]?.split(" ")[0]));
      run.kill(signal);
      await ended;
      assert.ok(!cached().includes("coredns"));
      const firstEnded = (): boolean => !isAlive(first);
      // A run that is asked to end takes its build with it; a killed one cannot, so the next run must.
      if (signal === "SIGTERM") await until(firstEnded, "the build ended with its run");
      else assert.equal(firstEnded(), false);
      const lines: string[] = [];
      const again = ensureTools((line) => lines.push(line), ["coredns"]);
      await until(() => calls().length === 2, "the second build started");
      assert.equal(firstEnded(), true, "no build beside another");
      assert.equal(lines[0]?.includes("left its build"), signal === "SIGKILL");
      rmSync(join(bin, "hold"));
      await again;
      assert.deepEqual(cached(), ["build.log", "coredns"]);
    });
  }
});

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `within 15 s: ${what}`);
    await delay(10);
  }
}
