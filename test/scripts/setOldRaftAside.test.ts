import assert from "node:assert/strict";
import { existsSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { JobScript } from "../support/jobScript";

const OLD = ".openbao-raft-migration/old-raft";
const NO_BAO = "exit 1";

describe("setOldRaftAside.sh", () => {
  let script: JobScript;
  beforeEach(() => {
    script = new JobScript("setOldRaftAside.sh");
    script.put("vault.db", "the store");
    script.put("raft/raft.db", "the log");
    script.put("node-id", "old");
  });
  afterEach(() => script.remove());

  const there = (path: string) => existsSync(join(script.data, path));

  it("moves the Raft store aside, whole, and touches no file storage", () => {
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["moved"], 3);
    assert.equal(script.read(`${OLD}/vault.db`), "the store");
    assert.equal(script.read(`${OLD}/raft/raft.db`), "the log");
    assert.equal(there("vault.db") || there("raft") || there("node-id"), false);
    assert.equal(script.read("core/_keyring"), '{"Value":"a2V5"}');
  });

  it("gives the bytes of a store above 2 GiB, where %d of busybox's awk ends (hazard F33)", () => {
    truncateSync(join(script.data, "raft/raft.db"), 3 * 1024 ** 3);
    const run = script.run(NO_BAO);
    assert.equal(run.result["bytes"], 3 * 1024 ** 3 + "the store".length + "old".length, run.output);
  });

  it("leaves the fresh store alone when it runs again (hazard F1)", () => {
    script.run(NO_BAO);
    script.put("vault.db", "fresh");
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(script.read("vault.db"), "fresh");
    assert.equal(script.read(`${OLD}/vault.db`), "the store");
  });

  it("goes on after a death between two of its moves", () => {
    script.put(".openbao-raft-migration/setting-aside", "");
    script.put(`${OLD}/vault.db`, "the store");
    rmSync(join(script.data, "vault.db"));
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(script.read(`${OLD}/vault.db`), "the store");
    assert.equal(script.read(`${OLD}/raft/raft.db`), "the log");
  });

  it("refuses to mix in an old store of an earlier migration (hazard F19)", () => {
    script.put(`${OLD}/vault.db`, "of last year");
    assert.equal(script.run(NO_BAO).code, 20);
    assert.equal(script.read("vault.db"), "the store");
    assert.equal(script.read(`${OLD}/vault.db`), "of last year");
  });

  it("does nothing but note it where only file storage lies", () => {
    for (const name of ["vault.db", "raft", "node-id"]) rmSync(join(script.data, name), { recursive: true });
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["moved"], 0);
    assert.equal(script.read("logical/m1/_one"), '{"Value":"b25l"}');
  });
});

describe("wipeFresh.sh", () => {
  let script: JobScript;
  beforeEach(() => {
    script = new JobScript("wipeFresh.sh");
    script.put("vault.db", "empty store");
    script.put("raft/raft.db", "log");
    script.put(`${OLD}/vault.db`, "the store");
  });
  afterEach(() => script.remove());

  const there = (path: string) => existsSync(join(script.data, path));

  it("takes the empty store away by its names, and nothing else", () => {
    script.put(".openbao-raft-migration/fresh", "");
    const run = script.run(NO_BAO);
    assert.equal(run.code, 0, run.output);
    assert.equal(there("vault.db") || there("raft"), false);
    assert.equal(script.read(`${OLD}/vault.db`), "the store");
    assert.equal(script.read("core/_keyring"), '{"Value":"a2V5"}');
  });

  it("refuses where nothing was set aside: that store may be the only one (hazard F19)", () => {
    assert.equal(script.run(NO_BAO).code, 20);
    assert.equal(script.read("vault.db"), "empty store");
  });

  it("refuses while the old store is half moved", () => {
    script.put(".openbao-raft-migration/fresh", "");
    script.put(".openbao-raft-migration/setting-aside", "");
    assert.equal(script.run(NO_BAO).code, 20);
    assert.equal(there("vault.db"), true);
  });
});
