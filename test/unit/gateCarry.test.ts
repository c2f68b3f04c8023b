import assert from "node:assert/strict";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks } from "../../components/gate/report";
import { FROM_FILE, NONE, noted, RESEED, soleRaftWorld } from "../support/carryHazards";
import { BATCH, configOf, standaloneWorld, type World } from "../support/snapshotBuilder";

async function judge(world: World, values: Record<string, unknown>) {
  const config = configOf(values);
  return judged({ ok: true, config }, config, await world.snapshot(config), checks).report;
}

function complaints(report: Awaited<ReturnType<typeof judge>>): string[] {
  return report.rows
    .filter((row) => ["FAIL", "UNKNOWN"].includes(row.outcome))
    .map((row) => `${row.check.id}: ${row.judgement.found}`);
}

describe("the gate for data paths besides migrate", () => {
  it("lets a healthy source on Raft with one node pass", async () => {
    for (const values of [NONE, { ...NONE, carry: "restore" }]) {
      const report = await judge(soleRaftWorld(), values);
      assert.deepEqual(complaints(report), []);
      assert.equal(blocks(report), false);
    }
  });

  it("does not take a source on Raft for one that has moved: its checks of early stages still judge", async () => {
    const before = await judge(soleRaftWorld(), NONE);
    assert.equal(before.observed, "none");
    const after = await judge(noted(soleRaftWorld(), "inventory-cutover", {}), NONE);
    assert.equal(after.observed, "cutover");
  });

  it("lets a lost server be replaced by a snapshot at hand", async () => {
    const world = soleRaftWorld();
    Object.assign(world.servers["openbao-0"]!.seal, {
      initialized: false,
      sealed: true,
      cluster_id: undefined,
    });
    world.servers["openbao-0"]!.health = 501;
    const report = await judge(world, FROM_FILE);
    assert.deepEqual(complaints(report), []);
  });

  it("takes an uninitialised server for a fault on any other path (I2)", async () => {
    const world = soleRaftWorld();
    Object.assign(world.servers["openbao-0"]!.seal, { initialized: false, sealed: true });
    assert.equal(blocks(await judge(world, NONE)), true);
  });

  it("asks a source on Raft for no proof that an earlier try with migrate has left (F24)", async () => {
    const world = noted(soleRaftWorld(), "key-proof", { store: "store", fingerprint: "of another key" });
    const { rows } = await judge(world, { ...NONE, carry: "restore", stage: "cutover" });
    const row = rows.find(({ check }) => check.id === "key-proven");
    assert.equal(row?.judgement.verdict, "not-applicable");
  });

  it("lets a reseed pass whose template is there", async () => {
    const world = standaloneWorld();
    world.kube.put(`${BATCH}/cronjobs/vault-config`, {
      spec: { schedule: "@yearly", jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
    });
    assert.deepEqual(complaints(await judge(world, RESEED)), []);
  });
});
