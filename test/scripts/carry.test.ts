import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { COPYING_BAO, JobScript } from "../support/jobScript";

describe("carry.sh", () => {
  let script: JobScript;
  beforeEach(() => (script = new JobScript("carry.sh")));
  afterEach(() => script.remove());

  const promoted = () => existsSync(join(script.data, "vault.db"));

  it("puts the Raft store beside the untouched file storage, and says how many entries are proved", () => {
    const run = script.run(COPYING_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["entries"], 5);
    assert.equal(run.result["copied"], 5);
    assert.equal(promoted() && existsSync(join(script.data, "raft/raft.db")), true);
    assert.equal(script.read("logical/m1/_one"), '{"Value":"b25l"}');
    assert.equal(existsSync(join(script.data, "core/_migration")), false);
  });

  it("proves each of many entries, however long their list is (hazard F18)", () => {
    for (let n = 0; n < 1500; n++)
      script.put(`logical/m1/${"long-name".repeat(16)}/_${n}`, `{"Value":"${n}"}`);
    const run = script.run(COPYING_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["entries"], 1505);
  });

  it("gives the same result when it runs twice, and copies nothing again", () => {
    const first = script.run(COPYING_BAO);
    const second = script.run("exit 1");
    assert.equal(second.code, 0, second.output);
    assert.deepEqual(second.result, first.result);
  });

  it("prints no entry's name: the names of KV v1 secrets are plain (hazards section 3)", () => {
    script.put("logical/m1/_canary-name", '{"Value":"eA=="}');
    assert.doesNotMatch(script.run(COPYING_BAO).output, /canary-name/);
  });

  it("refuses Raft state that it did not make (hazard F19)", () => {
    script.put("vault.db", "foreign");
    assert.equal(script.run(COPYING_BAO).code, 20);
    assert.equal(script.read("vault.db"), "foreign");
  });

  it("starts anew after a death between its own two renames", () => {
    script.put(".openbao-raft-migration/promoting", "");
    script.put("raft/raft.db", "half");
    const run = script.run(COPYING_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(script.read("raft/raft.db"), "log\n");
  });

  for (const [what, path] of [
    ["zero-byte", "logical/m1/_empty"],
    [".temp", "logical/m1/_x.temp"],
  ] as const) {
    it(`refuses a ${what} entry, which migrate drops without a word (hazard F20)`, () => {
      script.put(path, what === "zero-byte" ? "" : "{}");
      assert.equal(script.run(COPYING_BAO).code, 21);
      assert.equal(promoted(), false);
    });
  }

  it("refuses a volume without a keyring at its root (hazard I18)", () => {
    rmSync(join(script.data, "core/_keyring"));
    assert.equal(script.run(COPYING_BAO).code, 22);
    assert.equal(promoted(), false);
  });

  it("refuses a source with another migration's lock (hazard F17)", () => {
    script.put("core/_migration", '{"Value":"e30="}');
    assert.equal(script.run(COPYING_BAO).code, 23);
    assert.equal(promoted(), false);
  });

  it("takes no exit status 0 for success when the words are missing (finding 1, hazard F16)", () => {
    const run = script.run(
      `${COPYING_BAO.replace('echo "Success! All of the keys have been migrated."', "exit 0")}`,
    );
    assert.equal(run.code, 30);
    assert.equal(promoted(), false);
  });

  it("takes no words of success for proof when an entry is missing (hazard F18)", () => {
    const lossy = COPYING_BAO.replace("$WORK/back/ ;;", "$WORK/back/; rm $WORK/back/logical/m1/_one ;;");
    const run = script.run(lossy);
    assert.equal(run.code, 32);
    assert.equal(promoted(), false);
  });

  it("takes no words of success for proof when an entry's bytes differ (hazard F18)", () => {
    const flipping = COPYING_BAO.replace(
      "$WORK/back/ ;;",
      "$WORK/back/; echo other > $WORK/back/logical/m1/_one ;;",
    );
    assert.equal(script.run(flipping).code, 32);
  });

  for (const [words, why] of [
    ["put failed due to value being too large; got 2000000 bytes, max: 1048576 bytes", "too large"],
    ["write /scratch/raft/vault.db: no space left on device", "no space left"],
    ["open /scratch/view/logical/u/app/_canary-name: permission denied", "permission denied"],
    ["read /scratch/view/logical/u/app/_canary-name: input/output error", "input/output error"],
    ["/scratch/view/logical/u/app/_canary-name: unexpected end of JSON input", "other"],
  ] as const)
    it(`says why migrate failed, and not on which entry: ${why} (hazards section 3)`, () => {
      const log = "echo 'copied key: path=logical/u/app/canary-name' >&2";
      const run = script.run(`${log}; echo 'Error migrating: error copying data: ${words}' >&2`);
      assert.equal(run.code, 30);
      assert.equal(run.result["why"], why);
      assert.doesNotMatch(JSON.stringify(run.result) + run.output, /canary|scratch/);
    });

  it("has all of its marker on the disk before the name that counts (hazard F18)", () => {
    const noted = (name: string) => `echo ${name} "$@" >> $WORK/calls; PATH=/usr/bin:/bin; ${name} "$@"`;
    const run = script.run(COPYING_BAO, {}, { fakes: { sync: noted("sync"), mv: noted("mv") } });
    assert.equal(run.code, 0, run.output);
    const calls = readFileSync(join(script.dir, "work/calls"), "utf8").trim().split("\n");
    const renamed = calls.findIndex((call) => call.endsWith("/carried"));
    assert.ok(renamed > 0);
    assert.equal(calls[renamed - 1], "sync");
  });

  it("carries anew what the file storage has taken since, while no server has run on the copy (hazard F68)", () => {
    script.run(COPYING_BAO);
    script.put("logical/m1/_late", '{"Value":"bA=="}');
    const again = script.run(COPYING_BAO);
    assert.deepEqual([again.code, again.result["entries"]], [0, 6], again.output);
    assert.equal(script.run(COPYING_BAO).result["manifest"], again.result["manifest"]);
  });

  it("carries anew after a death between finding the copy old and removing it (hazard F68)", () => {
    script.run(COPYING_BAO);
    script.put("logical/m1/_late", '{"Value":"bA=="}');
    script.put(".openbao-raft-migration/promoting", "");
    rmSync(join(script.data, ".openbao-raft-migration/carried"));
    assert.equal(script.run(COPYING_BAO).result["entries"], 6);
  });

  it("refuses when both were written to since: each holds what the other lacks (hazard F68)", () => {
    script.run(COPYING_BAO);
    script.put("logical/m1/_late", '{"Value":"bA=="}');
    script.put("vault.db", "written by a server");
    assert.equal(script.run(COPYING_BAO).code, 25);
    assert.equal(script.read("vault.db"), "written by a server");
  });

  it("refuses to carry again over a Raft store on which a server has run (hazard F68)", () => {
    script.run(COPYING_BAO);
    script.put("vault.db", "written by a server");
    assert.equal(script.run(COPYING_BAO).code, 26);
  });
});

describe("fileCopy.sh", () => {
  let script: JobScript;
  beforeEach(() => (script = new JobScript("fileCopy.sh")));
  afterEach(() => script.remove());

  it("leaves a checked copy beside the source, with the largest entry's size", () => {
    script.put("logical/m1/_large", "x".repeat(5000));
    const run = script.run("exit 1");
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["entries"], 6);
    assert.equal(run.result["largest"], 5000);
    assert.equal(
      script.read(".openbao-raft-migration/backup/logical/m1/_one"),
      script.read("logical/m1/_one"),
    );
  });

  it("gives the bytes above 2 GiB, where %d of busybox's awk ends (hazard F33)", () => {
    const awk = 'PATH=/usr/bin:/bin; busybox awk "$@" || awk "$@"';
    const stat = "echo 3221225472; echo 3221225473";
    const { result, output } = script.run("exit 1", {}, { fakes: { awk, stat } });
    assert.deepEqual([result["bytes"], result["largest"]], [6442450945, 3221225473], output);
  });

  it("counts damaged entries rather than passing them over (hazard F20)", () => {
    script.put("logical/m1/_empty", "");
    script.put("logical/m1/_x.temp", "{}");
    const { result } = script.run("exit 1");
    assert.deepEqual([result["zeroByte"], result["temp"]], [1, 1]);
  });
});
