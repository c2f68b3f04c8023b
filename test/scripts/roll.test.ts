import assert from "node:assert/strict";
import { Refused, runBeats } from "../../components/steps/runStep";
import { roll } from "../../components/steps/scripts/roll";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

/** The cutover's world after the flip: the template is new, the pod is not. */
function flipped(): StepWorld {
  return new StepWorld("roll").release(RAFT_VALUES, true).statefulSet(1, "rev-2").pod0("rev-1");
}

/** What the StatefulSet's controller does once the pod is gone. */
function remakes(world: StepWorld, made: () => unknown): readonly (object | undefined)[] {
  const removed: (object | undefined)[] = [];
  const remove = world.kube.remove.bind(world.kube);
  world.kube.remove = async (path, body) => {
    removed.push(body);
    await remove(path, body);
    world.pod0("rev-2", "uid-1");
    made();
  };
  return removed;
}

describe("step roll, since updateStrategy OnDelete replaces no pod (hazards I4, I40)", () => {
  it("replaces the pod of the old revision, that one by its uid and no other", async () => {
    const world = flipped();
    const removed = remakes(world, () => world.onRaft());
    const { result, observed } = await runBeats(roll, world.context);
    assert.equal(result, "done");
    assert.deepEqual(removed, [{ preconditions: { uid: "uid-0" } }]);
    assert.deepEqual(observed, { storageType: "raft", revision: "rev-2", node: "node-1" });
  });

  it("replaces a pod of the new revision that started on the old ConfigMap", async () => {
    const world = flipped().pod0("rev-2");
    const removed = remakes(world, () => world.onRaft());
    await runBeats(roll, world.context);
    assert.equal(removed.length, 1);
  });

  it("replaces a pod of the old revision that is on Raft already: its template is not the one that was looked at", async () => {
    const world = flipped().onRaft();
    const removed = remakes(world, () => undefined);
    assert.equal((await runBeats(roll, world.context)).result, "done");
    assert.deepEqual(removed, [{ preconditions: { uid: "uid-0" } }]);
  });

  it("is not done while openbao-0 serves from file storage, whatever its revision says", async () => {
    const world = flipped();
    remakes(world, () => undefined);
    await assert.rejects(runBeats(roll, world.context), (error: unknown) => {
      assert.ok(error instanceof Refused);
      assert.match(error.message, /openbao-0 runs on storage "file" after the roll, expected "raft"/);
      return true;
    });
  });

  it("leaves a pod alone that runs the new revision on Raft", async () => {
    const world = flipped().onRaft().pod0("rev-2");
    const removed = remakes(world, () => undefined);
    assert.equal((await runBeats(roll, world.context)).result, "already-done");
    assert.deepEqual(removed, []);
  });
});
