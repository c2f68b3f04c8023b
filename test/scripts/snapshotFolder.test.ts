import type { V1Job } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { StreamingOpenBao } from "../../components/cluster/openBaoClient";
import { SnapshotFault } from "../../components/snapshot/readSnapshot";
import { saveSnapshot } from "../../components/snapshot/snapshotTransfer";
import { Refused, runBeats, type StepContext } from "../../components/steps/runStep";
import { finalSnapshot } from "../../components/steps/scripts/finalSnapshot";
import { MEMORY_LIMIT_BYTES } from "../../components/steps/stepJobs";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

/** The world at step final-snapshot; stage backup's snapshot has the given facts. */
async function stopped(
  file: string,
  facts: object = {},
): Promise<{ world: StepWorld; context: StepContext }> {
  const world = new StepWorld("final-snapshot").release(RAFT_VALUES, true).rendered("raft");
  world.statefulSet(0).noPod();
  await world.done("snapshot", {
    nodeId: "openbao-0",
    address: "openbao-0.openbao-internal:8201",
    ...facts,
  });
  const snapshot = { file, from: "source", maxAgeHours: 24 };
  const input = { ...world.context.input, path: "restore", snapshot } as StepContext["input"];
  return { world, context: { ...world.context, input } };
}

describe("a snapshot's folder that cannot be written (F65)", () => {
  let folder = "";
  before(() => (folder = mkdtempSync(join(tmpdir(), "snapshot-folder-"))));
  after(() => rmSync(folder, { recursive: true }));

  it("is told by name before the server is asked, and ends no process", async () => {
    let asked = 0;
    const slow = {
      where: "openbao-0",
      stream: async () => (asked++, await delay(50), 503),
    } as unknown as StreamingOpenBao;
    await assert.rejects(
      saveSnapshot(slow, "token", join(folder, "none", "a.snap"), 1000),
      (error: unknown) => {
        assert.ok(error instanceof SnapshotFault && error.hazard === "F65", String(error));
        assert.match(error.message, /folder ".*none" \(ENOENT\); make the folder/);
        return true;
      },
    );
    assert.equal(asked, 0);
    await assert.rejects(saveSnapshot(slow, "token", join(folder, "a.snap"), 1000), /answered 503/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("stops step final-snapshot before its Job: no second OpenBao is left behind", async () => {
    const { world, context } = await stopped(join(folder, "none", "a.snap"));
    await assert.rejects(runBeats(finalSnapshot, context), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F65", String(error));
      return true;
    });
    assert.equal(
      world.kube.writes.some(({ path }) => path.endsWith("/jobs")),
      false,
    );
  });
});

describe("the copy that step final-snapshot starts, by its size (F17)", () => {
  for (const [size, facts, work] of [
    ["a small store", { stateBytes: MEMORY_LIMIT_BYTES - 1 }, { medium: "Memory" }],
    ["a large store", { stateBytes: MEMORY_LIMIT_BYTES }, {}],
    ["one of unknown size", {}, {}],
  ] as const) {
    it(`of ${size} lies ${"medium" in work ? "in memory" : "on the node's disk"}`, async () => {
      const { world, context } = await stopped(join(tmpdir(), "never-written.snap"), facts);
      world.kube.onWrite(({ verb, path }) => {
        if (verb === "create" && path.endsWith("/jobs")) throw new Error("enough seen");
      });
      await assert.rejects(runBeats(finalSnapshot, context), /enough seen/);
      const job = world.kube.writes.find(({ verb, path }) => verb === "create" && path.endsWith("/jobs"));
      const { volumes } = (job?.body as V1Job).spec!.template.spec!;
      assert.deepEqual(volumes?.find(({ name }) => name === "work")?.emptyDir, work);
    });
  }
});
