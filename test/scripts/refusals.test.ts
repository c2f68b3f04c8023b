import assert from "node:assert/strict";
import { readJournal } from "../../components/cluster/journal";
import { Refused, runBeats, type Step } from "../../components/steps/runStep";
import { carry } from "../../components/steps/scripts/carry";
import { flip } from "../../components/steps/scripts/flip";
import { follower } from "../../components/steps/scripts/follower";
import { landGit } from "../../components/steps/scripts/landGit";
import { resume } from "../../components/steps/scripts/resume";
import { roll } from "../../components/steps/scripts/roll";
import { stop } from "../../components/steps/scripts/stop";
import { unseal } from "../../components/steps/scripts/unseal";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const CONFIG = "/api/v1/namespaces/openbao/configmaps/openbao-config";

/** The step refuses with this hazard before it has written anything at all. */
async function refuses(step: Step, world: StepWorld, hazard: string): Promise<void> {
  await assert.rejects(runBeats(step, world.context), (error: unknown) => {
    assert.equal(error instanceof Refused, true, String(error));
    assert.equal((error as Refused).hazard, hazard, String(error));
    return true;
  });
  assert.deepEqual(world.kube.writes, []);
}

/** The step finds its work done and writes nothing. */
async function findsDone(step: Step, world: StepWorld): Promise<void> {
  assert.equal((await runBeats(step, world.context)).result, "already-done");
  assert.deepEqual(world.kube.writes, []);
}

describe("a step refuses before it writes", () => {
  it("stop: Flux is not paused and would start the server again (hazard I1)", () =>
    refuses(stop, new StepWorld("stop"), "I1"));

  it("stop: no file copy and no inventory are in the journal (hazard H2)", () =>
    refuses(stop, new StepWorld("stop").release({}, true), "H2"));

  it("stop: a file copy alone is not enough (hazard H2)", async () =>
    refuses(stop, await new StepWorld("stop").release({}, true).done("file-copy"), "H2"));

  it("stop: no key is proven to open this store (hazard F24)", async () => {
    const world = await new StepWorld("stop").release({}, true).done("file-copy");
    return refuses(stop, await world.done("inventory-cutover"), "F24");
  });

  it("stop: the key was changed after it was proven (hazard F26)", async () => {
    const world = await new StepWorld("stop").release({}, true).done("file-copy");
    await world.provenKey("0d".repeat(32));
    return refuses(stop, await world.done("inventory-cutover"), "F24");
  });

  it("stop: an entry that was written since stage backup is too large for the planned limit (hazard I13)", async () => {
    const world = await new StepWorld("stop").release({}, true).done("file-copy", { largest: 1000 });
    await world.done("key-proof-cutover", { largest: 2_000_000 });
    await (await world.provenKey()).done("inventory-cutover");
    await refuses(stop, world, "I13");
    Object.assign(world.context.input, { maxEntryBytes: 2_097_152 });
    assert.equal((await stop.observe(world.context)).state, "todo");
  });

  it("carry: the server runs and would write to the source (hazard F22)", () =>
    refuses(carry, new StepWorld("carry").release({}, true), "F22"));

  it("carry: the scale is 0 and the pod is still there (hazard F22)", () =>
    refuses(carry, new StepWorld("carry").release({}, true).statefulSet(0), "F22"));

  it("carry: the pod is gone and a replica is asked for, which may start at any moment (hazard F22)", () =>
    refuses(carry, new StepWorld("carry").release({}, true).noPod(), "F22"));

  it("flip: the HelmRelease does not ask for Raft yet (hazard I4)", () => {
    const world = new StepWorld("flip").release({}, true).statefulSet(0).noPod();
    world.kube.put(CONFIG, {
      data: { "extraconfig-from-values.hcl": 'storage "file" { path = "/openbao/data" }' },
    });
    return refuses(flip, world, "I4");
  });

  it("flip: nothing was carried, so a Raft server would start empty (hazard F40)", () => {
    const world = new StepWorld("flip").release(RAFT_VALUES, true).statefulSet(0).noPod();
    world.kube.put(CONFIG, {
      data: { "extraconfig-from-values.hcl": 'storage "file" { path = "/openbao/data" }' },
    });
    return refuses(flip, world, "F40");
  });

  it("roll: the Raft store is empty and is never initialised over the data (hazard I2)", () =>
    refuses(roll, new StepWorld("roll").onRaft({ initialized: false, sealed: true }), "I2"));

  it("unseal: the store is empty (hazard I2)", () =>
    refuses(unseal, new StepWorld("unseal-0").onRaft({ initialized: false, sealed: true }), "I2"));

  it("unseal: the server still runs on file storage (hazard I2)", () =>
    refuses(unseal, new StepWorld("unseal-0"), "I2"));

  it("follower: openbao-0 is sealed, so there is nothing to join (hazard I5)", () =>
    refuses(follower, new StepWorld("follower-1").onRaft({ sealed: true }), "I5"));

  it("follower: the one before it is not there yet (hazard I5)", () =>
    refuses(follower, new StepWorld("follower-2").onRaft(), "I5"));

  it("follower: a volume of an earlier life lies there (hazard I33)", () => {
    const world = new StepWorld("follower-1").onRaft();
    world.kube.put("/api/v1/namespaces/openbao/persistentvolumeclaims/data-openbao-1", { metadata: {} });
    return refuses(follower, world, "I33");
  });

  it("land-git: the move is not verified (hazard F69)", () =>
    refuses(landGit, new StepWorld("land-git").onRaft(), "F69"));

  it("resume: the change is not in Git, so Flux would take the old values back (hazard F69)", () =>
    refuses(resume, new StepWorld("resume").onRaft().release(RAFT_VALUES, true), "F69"));
});

describe("a step of before the cutover finds itself done once the data is on Raft (hazard F5)", () => {
  for (const [step, id] of [
    [stop, "stop"],
    [carry, "carry"],
    [roll, "roll"],
  ] as const) {
    it(id, () => findsDone(step, new StepWorld(id).onRaft().release(RAFT_VALUES, true)));
  }
});

describe("the journal", () => {
  it("names the step of the plan, not the script: each follower has entries of its own", async () => {
    const world = new StepWorld("follower-2");
    const step: Step = {
      id: "follower",
      observe: () => Promise.resolve({ state: "todo", observed: {} }),
      act: () => Promise.resolve(),
      verify: () => Promise.resolve({}),
    };
    await runBeats(step, world.context);
    const entries = await readJournal(world.kube, "openbao");
    assert.deepEqual(
      entries.map(({ step: name, beat }) => [name, beat]),
      [
        ["follower-2", "act"],
        ["follower-2", "done"],
      ],
    );
  });
});

describe("the fence (hazards F4, F10)", () => {
  it("stops a step that lost the Lease before it writes anything", async () => {
    const world = await new StepWorld("stop").release({}, true).done("file-copy");
    await world.provenKey();
    await world.done("inventory-cutover");
    const fence = {
      holder: "tester",
      value: 1,
      assertHeld: () => Promise.reject(new Error("lost the Lease")),
    };
    await assert.rejects(runBeats(stop, { ...world.context, fence }), /lost the Lease/);
    assert.deepEqual(world.kube.writes, []);
  });
});
