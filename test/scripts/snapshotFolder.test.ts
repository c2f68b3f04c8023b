import type { V1Job } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { StreamingOpenBao } from "../../components/cluster/openBaoClient";
import { SnapshotFault } from "../../components/snapshot/readSnapshot";
import { saveSnapshot } from "../../components/snapshot/snapshotTransfer";
import { Refused, runBeats, type Facts, type StepContext } from "../../components/steps/runStep";
import { finalSnapshot } from "../../components/steps/scripts/finalSnapshot";
import { snapshot } from "../../components/steps/scripts/snapshot";
import { MEMORY_LIMIT_BYTES } from "../../components/steps/stepJobs";
import { packed, SNAPSHOT_KEY, snapshotParts } from "../support/snapshotFile";
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

describe("step snapshot of a source, and a file that lies at its place already (F30)", () => {
  let folder = "";
  let file = "";
  let world: StepWorld;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "snapshot-there-"));
    file = join(folder, "a.snap");
    const parts = snapshotParts();
    for (const member of parts.members) member.modified = Math.floor(Date.now() / 1000);
    writeFileSync(file, packed(parts));
    world = new StepWorld("snapshot").onRaft();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(): Promise<{ result: string; observed: Facts }> {
    const settings = { file, from: "source", maxAgeHours: 24 };
    const input = { ...world.context.input, path: "none", snapshot: settings } as StepContext["input"];
    const keys = () =>
      Promise.resolve({ unsealKey: SNAPSHOT_KEY.toString("base64"), rootToken: "test-token" });
    return runBeats(snapshot, { ...world.context, input, keys });
  }

  const written = (secondsAgo: number) => {
    const at = Date.now() / 1000 - secondsAgo;
    utimesSync(file, at, at);
  };

  async function refused(): Promise<void> {
    await assert.rejects(run(), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F30", String(error));
      assert.match(error.message, /Move it away/);
      return true;
    });
  }

  it(
    "is refused though it is whole, recent and opened by the stored key: no run of this step wrote it",
    refused,
  );

  it("is refused when it is older than the last run of this step", async () => {
    written(60);
    await world.wrote("snapshot", "act", { file });
    await refused();
  });

  it("is taken when a run wrote it and was killed before it could say so, and again when that run was killed, too", async () => {
    await world.wrote("snapshot", "act", { file });
    written(0);
    // The server does not say who its peers are: this run ends before its note, too.
    await assert.rejects(run(), /Raft configuration/);
    written(60);
    world.servers["openbao-0"]!.peers = [
      { node_id: "openbao-0", address: "openbao-0:8201", leader: true, voter: true },
    ];
    assert.equal((await run()).result, "done");
  });
});
