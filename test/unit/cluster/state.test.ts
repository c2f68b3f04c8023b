import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyState, readState, writeState } from "../../../rehearsal/cluster/state";

describe("cluster state file", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "state-"));
    file = join(folder, "state.json");
  });
  afterEach(async () => rmSync(folder, { recursive: true }));

  it("gives back what was written, readable by its owner only", async () => {
    const state = { ...emptyState("boot"), processes: { etcd: { pid: 7, startTime: "99", command: "abc" } } };
    writeState(state, file);
    assert.deepEqual(readState(file), state);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["state.json"]);
  });

  it("is no state when it is absent, cut short or of another layout", async () => {
    assert.equal(readState(file), undefined);
    for (const text of ["{", "{}", JSON.stringify({ ...emptyState("b"), version: 2 })]) {
      writeFileSync(file, text);
      assert.equal(readState(file), undefined, text);
    }
  });

  it("refuses to record a process without a pid", async () => {
    const state = { ...emptyState("b"), processes: { etcd: { pid: 0, startTime: "1", command: "c" } } };
    assert.throws(() => writeState(state, file));
  });
});
