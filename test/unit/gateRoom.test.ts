import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { COPY_FACTOR, RAFT_FLOOR } from "../../components/gate/storageChecks";
import { NONE, RESEED, soleRaftWorld } from "../support/carryHazards";
import { configOf, journalled, standaloneWorld, type World } from "../support/snapshotBuilder";

const USED = 1024 ** 3;
const NEEDED = COPY_FACTOR * USED + RAFT_FLOOR;

function worldWith(availableBytes: number, world = standaloneWorld()): World {
  world.kube.answer("get", "/api/v1/nodes/node-0/proxy/stats/summary", () => ({
    pods: [
      {
        volume: [
          {
            pvcRef: { name: "data-openbao-0", namespace: "openbao" },
            capacityBytes: 10 * 1024 ** 3,
            availableBytes,
            usedBytes: USED,
          },
        ],
      },
    ],
  }));
  return world;
}

async function rowOf(world: World, values: Record<string, unknown> = {}) {
  const config = configOf({ stage: "backup", ...values });
  const { report } = judged({ ok: true, config }, config, await world.snapshot(config), checks);
  return report.rows.find((one) => one.check.id === "data-room")!;
}

describe("gate: room for the copy (F33)", () => {
  it("asks for exactly what step file-copy asks for", () => {
    const script = readFileSync("components/steps/jobs/fileCopy.sh", "utf8");
    const [, times, over, marginKiB] = /used \* (\d+) \/ (\d+) \+ (\d+)/.exec(script)!.map(Number);
    assert.equal(times! / over!, COPY_FACTOR);
    assert.equal(marginKiB! * 1024, RAFT_FLOOR);
  });

  it("lets the exact amount through, and stops at one byte less", async () => {
    assert.equal((await rowOf(worldWith(NEEDED))).outcome, "PASS");
    assert.equal((await rowOf(worldWith(NEEDED - 1))).outcome, "FAIL");
  });

  it("takes no half-made copy for data: a backup that was killed can go on", async () => {
    const row = await rowOf(journalled(worldWith(NEEDED - 1), "file-copy", {}));
    assert.equal(row.outcome, "NONE");
    assert.match(row.judgement.found, /step file-copy has begun/);
  });

  it("asks nothing of a carry that makes no file copy", async () => {
    const row = await rowOf(worldWith(0), { carry: "none" });
    assert.equal(row.judgement.found, "this carry makes no file copy");
  });

  it("asks for the Raft store once more where the old one is set aside on the same volume", async () => {
    for (const values of [{ ...NONE, carry: "restore" }, RESEED]) {
      const room = USED + RAFT_FLOOR;
      const config = { ...values, stage: "backup" };
      assert.equal((await rowOf(worldWith(room, soleRaftWorld()), config)).outcome, "PASS");
      assert.equal((await rowOf(worldWith(room - 1, soleRaftWorld()), config)).outcome, "FAIL");
    }
    const row = await rowOf(worldWith(0), { ...RESEED, stage: "backup" });
    assert.equal(row.judgement.found, "no Raft store is set aside");
  });

  it("stops nobody who may not ask the kubelets: the step measures before it copies", async () => {
    const world = standaloneWorld();
    world.kube.fail("get", /stats\/summary$/, 403, "Forbidden");
    assert.match((await rowOf(world)).judgement.found, /Forbidden; step file-copy measures/);
  });
});
