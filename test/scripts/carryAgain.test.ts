import assert from "node:assert/strict";
import { mayHaveServed } from "../../components/steps/carryAgain";
import { runBeats } from "../../components/steps/runStep";
import { carry } from "../../components/steps/scripts/carry";
import { flip } from "../../components/steps/scripts/flip";
import { observeWorld } from "../../components/steps/world";
import { JOBS, jobsEnd } from "../support/jobsEnd";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";

/** Carried over and not flipped yet; every Job ends well. */
async function carried(): Promise<StepWorld> {
  const world = jobsEnd(new StepWorld("carry").release({}, true).statefulSet(0).noPod(), 0, { entries: 5 });
  await runBeats(carry, world.context);
  const flipping = { ...world.context.input, step: "flip" };
  Object.assign(world.context, { input: flipping });
  world.release(RAFT_VALUES, true).rendered("file");
  world.kube.writes.length = 0;
  return world;
}

const served = async (world: StepWorld) => mayHaveServed(world.context, await observeWorld(world.context));

describe("a server that was started by hand between the carry and the flip (hazard F68)", () => {
  it("is not supposed where nothing was scaled since", async () => {
    assert.equal(await served(await carried()), false);
  });

  it("is seen while it runs", async () => {
    assert.equal(await served((await carried()).pod0("rev-1")), true);
  });

  it("is seen by the StatefulSet's generation when it was stopped again", async () => {
    assert.equal(await served((await carried()).statefulSet(1).statefulSet(0)), true);
  });

  it("is seen where the journal does not tell the generation", async () => {
    const world = new StepWorld("flip").release(RAFT_VALUES, true).statefulSet(0).noPod();
    assert.equal(await served(await world.done("carry")), true);
  });

  it("is no matter once the data is on Raft", async () => {
    assert.equal(await served((await carried()).pod0("rev-2").onRaft()), false);
  });

  it("is stopped by step flip, and what it took is carried over before the values are applied", async () => {
    const world = (await carried()).statefulSet(1).pod0("rev-1");
    const acts: string[] = [];
    world.kube.onWrite(({ verb, path, body }) => {
      if (path === `${SET}/scale`) world.statefulSet(0).noPod();
      if (verb === "create" && path === JOBS) acts.push("carry");
      // Flux's part: it applies once the HelmRelease is let go.
      const { spec } = body as { spec?: { suspend?: boolean } };
      if (spec?.suspend !== false) return;
      acts.push("applied");
      world.release(RAFT_VALUES).statefulSet(1).rendered("raft");
    });
    await runBeats(flip, world.context).catch(() => undefined);
    assert.deepEqual(acts.slice(0, 2), ["carry", "applied"]);
  });

  it("is not taken by step carry for the pod on Raft that starts", async () => {
    const world = (await carried()).statefulSet(1).pod0("rev-1");
    await assert.rejects(
      runBeats(carry, world.context),
      /a running server writes to the source.*--replicas=0/,
    );
  });
});
