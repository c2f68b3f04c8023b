import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { COPYING_BAO, JobScript } from "../support/jobScript";

const NO_BAO = "exit 1";
const ASIDE = ".openbao-raft-migration/rolled-back/t1";

describe("setAside.sh on the volume of openbao-0", () => {
  let carry: JobScript;
  let script: JobScript;
  const has = (path: string) => existsSync(join(script.data, path));
  beforeEach(() => {
    script = new JobScript("setAside.sh", { aside: "t1", role: "first" });
    carry = new JobScript("carry.sh");
    // Both work on one volume, one after the other.
    Object.assign(carry, { data: script.data });
  });
  afterEach(() => {
    script.remove();
    carry.remove();
  });

  it("leaves the file storage alone at the root and deletes nothing of Raft (hazard F68)", () => {
    assert.equal(carry.run(COPYING_BAO).code, 0);
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.deepEqual(readdirSync(script.data).sort(), [".openbao-raft-migration", "core", "logical", "sys"]);
    assert.equal(script.read("logical/m1/_one"), '{"Value":"b25l"}');
    assert.equal(script.read(`${ASIDE}/vault.db`), "store\n");
    assert.equal(script.read(`${ASIDE}/raft/raft.db`), "log\n");
  });

  it("proves that the file storage is what was carried over, by the manifest's digest", () => {
    const carried = carry.run(COPYING_BAO);
    assert.equal(script.run(NO_BAO).result["manifest"], carried.result["manifest"]);
  });

  it("lets a later carry take the new writes over, and not the old store (hazard F68)", () => {
    carry.run(COPYING_BAO);
    script.put("vault.db", "a server has run here");
    script.run(NO_BAO);
    script.put("logical/m1/_late", '{"Value":"bA=="}');
    const again = carry.run(COPYING_BAO);
    assert.equal(again.code, 0, again.output);
    assert.equal(again.result["entries"], 6);
    assert.equal(script.read("vault.db"), "store\n");
  });

  it("gives 0 when it runs twice, and moves nothing again", () => {
    carry.run(COPYING_BAO);
    script.run(NO_BAO);
    const second = script.run(NO_BAO);
    assert.deepEqual([second.code, second.result["moved"]], [0, 0]);
    assert.equal(script.read(`${ASIDE}/vault.db`), "store\n");
  });

  it("goes on after a death between its renames (hazard F67)", () => {
    carry.run(COPYING_BAO);
    script.put(`${ASIDE}/raft/raft.db`, script.read("raft/raft.db"));
    rmSync(join(script.data, "raft"), { recursive: true });
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(has("vault.db") || has(".openbao-raft-migration/carried.sum"), false);
  });

  it("keeps what the old server took after the carry, while none has run on the copy (hazard F68)", () => {
    carry.run(COPYING_BAO);
    script.put("logical/m1/_one", "other");
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(script.read("logical/m1/_one"), "other");
    assert.equal(has("vault.db"), false);
  });

  it("refuses when both were written to since, and moves nothing (hazard F68)", () => {
    carry.run(COPYING_BAO);
    script.put("logical/m1/_one", "other");
    script.put("vault.db", "a server has run here");
    assert.equal(script.run(NO_BAO).code, 27);
    assert.equal(has("vault.db") && has("raft/raft.db"), true);
  });

  it("refuses a volume without a keyring, and moves nothing (hazard I18)", () => {
    carry.run(COPYING_BAO);
    rmSync(join(script.data, "core/_keyring"));
    assert.equal(script.run(NO_BAO).code, 22);
    assert.equal(has("vault.db"), true);
  });

  it("takes the lock of a killed migrate away, with which the server would not start (hazard F17)", () => {
    script.put("core/_migration", "{}");
    assert.equal(script.run(NO_BAO).code, 0);
    assert.deepEqual([has("core/_migration"), has(`${ASIDE}/_migration`)], [false, true]);
  });

  it("prints no entry's name (hazards section 3)", () => {
    script.put("logical/m1/_canary-name", "{}");
    assert.doesNotMatch(script.run(NO_BAO).output, /canary-name/);
  });
});

describe("setAside.sh on a follower's volume", () => {
  it("puts old Raft state aside, so that the node starts empty (hazard I33)", () => {
    const script = new JobScript("setAside.sh", { aside: "t1", role: "follower" });
    try {
      rmSync(script.data, { recursive: true });
      script.put("vault.db", "old");
      script.put("raft/raft.db", "old log");
      script.put("node-id", "x");
      const run = script.run(NO_BAO);
      assert.equal(run.code, 0, run.output);
      assert.deepEqual(readdirSync(script.data), [".openbao-raft-migration"]);
      assert.equal(script.read(`${ASIDE}/raft/raft.db`), "old log");
    } finally {
      script.remove();
    }
  });
});

describe("cleanup.sh", () => {
  let carry: JobScript;
  let script: JobScript;
  const has = (path: string) => existsSync(join(script.data, path));
  beforeEach(() => {
    script = new JobScript("cleanup.sh");
    carry = new JobScript("carry.sh");
    Object.assign(carry, { data: script.data });
  });
  afterEach(() => {
    script.remove();
    carry.remove();
  });

  it("removes the file storage and its copy, and leaves Raft's files and strangers as they are (hazard F38)", () => {
    script.put("lost+found/x", "x");
    assert.equal(carry.run(COPYING_BAO).code, 0);
    script.put(".openbao-raft-migration/backup/core/_keyring", "copy");
    script.put("vault.db", "live");
    script.put("core/leader/_x", "x");
    script.put("notes/mine", "stays");
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.deepEqual([run.result["removed"], run.result["kept"]], [5, 0]);
    assert.deepEqual(
      ["core", "logical", "sys", ".openbao-raft-migration/backup"].filter((path) => has(path)),
      [],
    );
    assert.equal(readFileSync(join(script.data, "vault.db"), "utf8"), "live");
    assert.equal(has("raft/raft.db") && has("notes/mine") && has("lost+found/x"), true);
  });

  it("keeps an entry whose bytes are not those that were carried over", () => {
    carry.run(COPYING_BAO);
    script.put("logical/m1/_one", "changed since");
    const { result } = script.run(NO_BAO);
    assert.deepEqual([result["removed"], result["kept"]], [4, 1]);
    assert.equal(script.read("logical/m1/_one"), "changed since");
  });

  it("finishes what a killed run began", () => {
    carry.run(COPYING_BAO);
    rmSync(join(script.data, "sys"), { recursive: true });
    const { code, result } = script.run(NO_BAO);
    assert.deepEqual([code, result["removed"], result["kept"]], [0, 4, 0]);
  });

  it("refuses while no Raft store lies beside the file storage", () => {
    assert.equal(script.run(NO_BAO).code, 28);
    assert.equal(has("core/_keyring"), true);
  });

  it("refuses a store that was not carried over by this program", () => {
    script.put("vault.db", "x");
    script.put("raft/raft.db", "x");
    assert.equal(script.run(NO_BAO).code, 29);
    assert.equal(has("core/_keyring"), true);
  });
});
