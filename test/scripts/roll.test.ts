import assert from "node:assert/strict";
import { Refused, runBeats } from "../../components/steps/runStep";
import { roll } from "../../components/steps/scripts/roll";
import { JOBS, jobsEnd } from "../support/jobsEnd";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const SCALE = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao/scale";

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

/** A pod that was started by hand and gives no answer. */
function silent(world: StepWorld): StepWorld {
  world.servers["openbao-0"] = { ...world.servers["openbao-0"]!, up: false };
  return world;
}

/** The StatefulSet's controller under a scaling, and the order of what was done. */
function scaled(world: StepWorld, started: (world: StepWorld) => unknown = (one) => one.onRaft()) {
  const acts: string[] = [];
  world.kube.onWrite(({ verb, path, body }) => {
    if (verb === "create" && path === JOBS) acts.push((body as { metadata: { name: string } }).metadata.name);
    if (verb !== "mergePatch" || path !== SCALE) return;
    const { replicas } = (body as { spec: { replicas: number } }).spec;
    acts.push(String(replicas));
    world.statefulSet(replicas, "rev-2");
    if (replicas === 0) world.noPod();
    else started(world.pod0("rev-2", "uid-1"));
  });
  return { world, acts };
}

describe("step roll, since updateStrategy OnDelete replaces no pod (hazards I4, I40)", () => {
  for (const [what, world] of [
    ["of the old revision", flipped],
    ["of the new revision that started on the old ConfigMap", () => flipped().pod0("rev-2")],
    ["of the old revision that does not answer", () => silent(flipped())],
  ] as const)
    it(`stops a pod ${what}, and carries over what it has taken before Raft starts (F68)`, async () => {
      const done = scaled(jobsEnd(world(), 0, { entries: 6 }));
      const { result, observed } = await runBeats(roll, done.world.context);
      assert.equal(result, "done");
      assert.deepEqual(done.acts, ["0", "openbao-raft-carry", "1"]);
      assert.deepEqual(observed, { storageType: "raft", revision: "rev-2", node: "node-1" });
      assert.equal((await done.world.context.journal.done("carry"))?.observed["entries"], 6);
    });

  it("starts no Raft server where the file storage and the copy were both written to (F68)", async () => {
    const { world, acts } = scaled(jobsEnd(flipped(), 25, {}));
    await assert.rejects(runBeats(roll, world.context), (error: Refused) => error.hazard === "F68");
    assert.deepEqual(acts, ["0", "openbao-raft-carry"]);
  });

  it("goes on with a copy on which a server has run, when nothing came to the file storage since (F68)", async () => {
    const { world, acts } = scaled(jobsEnd(silent(flipped()), 26, {}));
    assert.equal((await runBeats(roll, world.context)).result, "done");
    assert.deepEqual(acts, ["0", "openbao-raft-carry", "1"]);
  });

  it("replaces a pod of the old revision that is on Raft already, that one by its uid: its template is not the one that was looked at", async () => {
    const world = flipped().onRaft();
    const removed = remakes(world, () => undefined);
    const { result, observed } = await runBeats(roll, world.context);
    assert.equal(result, "done");
    assert.deepEqual(removed, [{ preconditions: { uid: "uid-0" } }]);
    assert.deepEqual(observed, { storageType: "raft", revision: "rev-2", node: "node-1" });
  });

  it("is not done while openbao-0 serves from file storage, whatever its revision says", async () => {
    const { world } = scaled(jobsEnd(flipped(), 0, { entries: 5 }), () => undefined);
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
