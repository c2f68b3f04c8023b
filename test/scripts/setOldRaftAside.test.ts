import assert from "node:assert/strict";
import { existsSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { V1Job } from "@kubernetes/client-node";
import { emptyAgain } from "../../components/steps/emptyStore";
import { Refused, type StepContext } from "../../components/steps/runStep";
import { setAside } from "../../components/steps/scripts/setAside";
import { EmptyStoreWorld } from "../support/emptyStoreWorld";
import { podOfJob } from "../support/jobsEnd";
import { JobScript } from "../support/jobScript";

const OLD = ".openbao-raft-migration/old-raft";
const FRESH = ".openbao-raft-migration/fresh";
const NO_BAO = "exit 1";
const THIS = { MIGRATION: "this-migration" };

describe("setOldRaftAside.sh", () => {
  let script: JobScript;
  beforeEach(() => {
    script = new JobScript("setOldRaftAside.sh", {}, THIS);
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

  for (const mark of ["", "another-migration 3\n"]) {
    it(`takes a mark of ${mark === "" ? "no" : "another"} migration for none of its own: refused, nothing moves (F68)`, () => {
      script.put(FRESH, mark);
      const run = script.run(NO_BAO);
      assert.equal(run.code, 21, run.output);
      assert.equal(script.read("vault.db"), "the store");
      assert.equal(there(OLD), false);
    });
  }

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
    script = new JobScript("wipeFresh.sh", {}, THIS);
    script.put("vault.db", "empty store");
    script.put("raft/raft.db", "log");
    script.put(`${OLD}/vault.db`, "the store");
  });
  afterEach(() => script.remove());

  const there = (path: string) => existsSync(join(script.data, path));

  it("takes the empty store away by its names, and nothing else", () => {
    script.put(FRESH, "this-migration 1\n");
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

  for (const mark of ["", "another-migration 1\n"]) {
    it(`refuses on a mark of ${mark === "" ? "no" : "another"} migration: that store may be the only one (F68)`, () => {
      script.put(FRESH, mark);
      assert.equal(script.run(NO_BAO).code, 21);
      assert.equal(script.read("vault.db"), "empty store");
    });
  }

  it("refuses when the old store was moved back by hand: that at the root is it (F19)", () => {
    script.put(FRESH, "this-migration 1\n");
    rmSync(join(script.data, OLD), { recursive: true });
    assert.equal(script.run(NO_BAO).code, 22);
    assert.equal(script.read("vault.db"), "empty store");
  });

  it("works on the mark that setOldRaftAside.sh makes, and where nothing was to be set aside, too", () => {
    for (const old of [true, false]) {
      const first = new JobScript("setOldRaftAside.sh", {}, THIS);
      if (old) first.put("vault.db", "the store");
      assert.equal(first.run(NO_BAO).code, 0);
      script.put(FRESH, first.read(FRESH));
      first.remove();
      if (!old) rmSync(join(script.data, OLD), { recursive: true });
      script.put("vault.db", "empty store");
      if (old) assert.equal(script.read(`${OLD}/vault.db`), "the store");
      assert.equal(script.run(NO_BAO).code, 0);
      assert.equal(there("vault.db"), false);
    }
  });

  it("refuses while the old store is half moved", () => {
    script.put(FRESH, "this-migration 1\n");
    script.put(".openbao-raft-migration/setting-aside", "");
    assert.equal(script.run(NO_BAO).code, 20);
    assert.equal(there("vault.db"), true);
  });
});

describe("the mark on the volume is of one migration (F68)", () => {
  let empty: EmptyStoreWorld;
  beforeEach(async () => (empty = await new EmptyStoreWorld("restore").ready()));
  afterEach(() => empty.remove());

  for (const [name, act] of [
    ["openbao-raft-set-aside", (ctx: StepContext) => setAside.act(ctx)],
    ["openbao-raft-wipe-fresh", emptyAgain],
  ] as const) {
    it(`Job ${name} is told the journal's id, and refuses a mark of another`, async () => {
      const { world } = empty;
      const id = (await empty.context.journal.run())?.id;
      world.kube.onWrite(({ verb, path }) => {
        if (verb !== "create" || !path.endsWith("/jobs")) return;
        podOfJob(world.kube, name, { exitCode: 21, message: "{}" });
      });
      await assert.rejects(act(empty.context), (error: unknown) => {
        assert.ok(error instanceof Refused && error.hazard === "F68", String(error));
        assert.ok(id !== undefined && id !== "" && error.message.includes(id));
        return true;
      });
      const job = world.kube.writes.find(({ verb, path }) => verb === "create" && path.endsWith("/jobs"));
      const [container] = (job?.body as V1Job).spec!.template.spec!.containers;
      assert.equal(container?.env?.find((one) => one.name === "MIGRATION")?.value, id);
    });
  }
});
