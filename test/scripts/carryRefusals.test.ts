import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveInventory } from "../../components/inventory/inventoryStore";
import { takeInventory } from "../../components/inventory/inventory";
import { Refused, runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { finalSnapshot } from "../../components/steps/scripts/finalSnapshot";
import { flip } from "../../components/steps/scripts/flip";
import { follower } from "../../components/steps/scripts/follower";
import { reseedCheck } from "../../components/steps/scripts/reseedCheck";
import { reseedJobs } from "../../components/steps/scripts/reseedJobs";
import { roll } from "../../components/steps/scripts/roll";
import { setAside } from "../../components/steps/scripts/setAside";
import { snapshot } from "../../components/steps/scripts/snapshot";
import { stop } from "../../components/steps/scripts/stop";
import { modelContent, ModelOpenBao } from "../support/modelOpenBao";
import { packed, SNAPSHOT_KEY, snapshotParts } from "../support/snapshotFile";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

type Path = NonNullable<StepContext["input"]["path"]>;

function on(world: StepWorld, path: Path, more: Partial<StepContext["input"]> = {}): StepContext {
  return { ...world.context, input: { ...world.context.input, path, ...more } };
}

async function refuses(step: Step, world: StepWorld, context: StepContext, hazard: string): Promise<void> {
  await assert.rejects(runBeats(step, context), (error: unknown) => {
    assert.equal(error instanceof Refused, true, String(error));
    assert.equal((error as Refused).hazard, hazard, String(error));
    return true;
  });
  const others = world.kube.writes.filter(({ path }) => !path.includes("openbao-raft-migration-journal"));
  assert.deepEqual(
    others.filter(({ path }) => !path.endsWith("/configmaps")),
    [],
  );
}

describe("steps of a source on Raft refuse before they write", () => {
  const raft = (step: string) => new StepWorld(step).onRaft().release(RAFT_VALUES, true);

  it("stop: a Raft source that nobody has snapshotted is not taken for one that was moved (H2)", () => {
    const world = raft("stop");
    return refuses(stop, world, on(world, "restore"), "H2");
  });

  it("stop: an inventory without a snapshot is not enough (H2)", async () => {
    const world = await raft("stop").done("inventory-cutover");
    return refuses(stop, world, on(world, "restore"), "H2");
  });

  it("stop: a reseed that was not judged (I48 by H2)", async () => {
    const world = await raft("stop").done("inventory-cutover");
    return refuses(stop, world, on(world, "reseed"), "H2");
  });

  it("final-snapshot: the server runs and takes writes (F22)", () => {
    const world = raft("final-snapshot");
    return refuses(finalSnapshot, world, on(world, "restore"), "F22");
  });

  it("final-snapshot: its file is not on this machine, and the store is set aside already (F28)", async () => {
    const world = raft("final-snapshot").statefulSet(0).noPod();
    await world.done("final-snapshot", { file: "/nowhere/source.snap.final-1" });
    await world.done("set-aside");
    return refuses(finalSnapshot, world, on(world, "restore"), "F28");
  });

  it("set-aside: the server runs on that store (F22)", () => {
    const world = raft("set-aside");
    return refuses(setAside, world, on(world, "restore"), "F22");
  });

  it("set-aside: no snapshot of the stopped store is kept (H2)", () => {
    const world = raft("set-aside").statefulSet(0).noPod();
    return refuses(setAside, world, on(world, "restore"), "H2");
  });

  it("flip: the store was not set aside; a server would start on the old one (F40)", () => {
    const world = raft("flip").statefulSet(0).noPod();
    world.kube.put("/api/v1/namespaces/openbao/configmaps/openbao-config", {
      data: { "extraconfig-from-values.hcl": 'storage "raft" { path = "/openbao/data" }' },
    });
    return refuses(flip, world, on(world, "restore"), "F40");
  });

  it("roll: an empty store that nobody prepared is never waited for (I2)", () => {
    const world = new StepWorld("roll").onRaft({ initialized: false, sealed: true });
    return refuses(roll, world, on(world, "restore"), "I2");
  });

  it("roll: an empty store on a path that keeps its data (I2)", async () => {
    const world = await new StepWorld("roll").onRaft({ initialized: false, sealed: true }).done("set-aside");
    return refuses(roll, world, on(world, "none"), "I2");
  });

  it("follower: a source on Raft with nothing paused and inventoried has nothing to join yet (I5)", () => {
    const world = raft("follower-1");
    return refuses(follower, world, on(world, "none"), "I5");
  });

  it("snapshot: file storage has none (H2)", () => {
    const world = new StepWorld("snapshot");
    const file = { file: "/nowhere/x.snap", from: "source" as const, maxAgeHours: 24 };
    return refuses(snapshot, world, on(world, "none", { snapshot: file }), "H2");
  });
});

describe("step snapshot with a file at hand", () => {
  const folder = mkdtempSync(join(tmpdir(), "snapshot-step-"));
  const file = join(folder, "one.snap");
  after(() => rmSync(folder, { recursive: true }));

  function context(world: StepWorld, key: string, maxAgeHours: number): StepContext {
    const ctx = on(world, "restore-file", { snapshot: { file, from: "file", maxAgeHours } });
    return { ...ctx, keys: () => Promise.resolve({ unsealKey: key, rootToken: "t" }) };
  }

  it("takes one that is whole, recent and opened by the stored key", async () => {
    writeFileSync(file, packed(snapshotParts()));
    const world = new StepWorld("snapshot");
    const { observed } = await runBeats(snapshot, context(world, SNAPSHOT_KEY.toString("base64"), 8760));
    assert.equal(observed["keyProved"], true);
    assert.equal(observed["stateBytes"], 4096);
  });

  it("refuses one of another cluster (F29)", () => {
    writeFileSync(file, packed(snapshotParts()));
    const world = new StepWorld("snapshot");
    return refuses(snapshot, world, context(world, randomBytes(32).toString("base64"), 8760), "F29");
  });

  it("refuses one that is too old (F30)", () => {
    const parts = snapshotParts();
    for (const member of parts.members) member.modified = 1_600_000_000;
    writeFileSync(file, packed(parts));
    const world = new StepWorld("snapshot");
    return refuses(snapshot, world, context(world, SNAPSHOT_KEY.toString("base64"), 24), "F30");
  });

  it("refuses one that is cut off (F28)", () => {
    writeFileSync(file, packed(snapshotParts()).subarray(0, 900));
    const world = new StepWorld("snapshot");
    return refuses(snapshot, world, context(world, SNAPSHOT_KEY.toString("base64"), 8760), "F28");
  });

  it("refuses one that is not there (F28)", () => {
    rmSync(file);
    const world = new StepWorld("snapshot");
    return refuses(snapshot, world, context(world, SNAPSHOT_KEY.toString("base64"), 24), "F28");
  });
});

describe("a reseed gives up nothing that nobody has named (I48)", () => {
  async function world(): Promise<StepWorld> {
    const one = new StepWorld("reseed-check");
    const inventory = await takeInventory(new ModelOpenBao(modelContent()), "t", {
      hmacKey: Buffer.alloc(32),
    });
    await saveInventory(one.kube, "openbao", "cutover", inventory);
    one.kube.writes.length = 0;
    return one;
  }

  it("refuses, names mounts with counts, and no entry's name", async () => {
    const one = await world();
    const context = on(one, "reseed", { reseed: { jobs: [], discard: ["old/"] } });
    await assert.rejects(runBeats(reseedCheck, context), (error: Refused) => {
      assert.equal(error.hazard, "I48");
      assert.match(error.message, /secret\/ \(kv2, 2\)/);
      assert.doesNotMatch(error.message, /app/);
      return true;
    });
  });

  it("lets it pass when each path is made anew or given up by name", async () => {
    const one = await world();
    const jobs = [{ kind: "CronJob" as const, name: "vault-config", rebuilds: ["secret/", "sys/"] }];
    const context = on(one, "reseed", { reseed: { jobs, discard: ["old/", "transit/"] } });
    const { observed } = await runBeats(reseedCheck, context);
    assert.equal(observed["uncovered"], 0);
  });
});

describe("step reseed-jobs", () => {
  const BATCH = "/apis/batch/v1/namespaces/openbao";
  const job = { kind: "CronJob" as const, name: "vault-config", rebuilds: [] };

  async function world(end: "Complete" | "Failed"): Promise<StepWorld> {
    const one = await new StepWorld("reseed-jobs").onRaft().release(RAFT_VALUES, true).done("init");
    one.kube.put(`${BATCH}/cronjobs/vault-config`, {
      spec: { suspend: true, jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
    });
    one.kube.onWrite(({ verb, path, body }) => {
      if (verb !== "create" || !path.endsWith("/jobs")) return;
      const name = (body as { metadata: { name: string } }).metadata.name;
      one.kube.put(`${path}/${name}`, {
        ...(body as object),
        status: { conditions: [{ type: end, status: "True" }] },
      });
    });
    return one;
  }

  it("runs a suspended CronJob's template once, and not again", async () => {
    const one = await world("Complete");
    const context = on(one, "reseed", { reseed: { jobs: [job], discard: [] } });
    await runBeats(reseedJobs, context);
    one.kube.drop("/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-journal");
    await one.done("init");
    await runBeats(reseedJobs, context);
    const made = one.kube.writes.filter(({ verb, path }) => verb === "create" && path.endsWith("/jobs"));
    assert.deepEqual(made, []);
  });

  it("does not call a failed Job the end of it (I24)", async () => {
    const one = await world("Failed");
    const context = on(one, "reseed", { reseed: { jobs: [job], discard: [] } });
    await assert.rejects(runBeats(reseedJobs, context), (error: Refused) => error.hazard === "I48");
  });

  it("refuses while the new store is sealed", async () => {
    const one = await new StepWorld("reseed-jobs").onRaft({ sealed: true }).done("init");
    await refuses(reseedJobs, one, on(one, "reseed", { reseed: { jobs: [job], discard: [] } }), "I48");
  });
});
