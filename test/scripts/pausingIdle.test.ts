import assert from "node:assert/strict";
import { runBeats } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { ownedRelease, OWNER, RELEASE } from "../support/ownedRelease";
import { StepWorld } from "../support/stepContext";

const JOB = "/apis/batch/v1/namespaces/openbao/jobs/vault-seed";
const UPGRADING = [{ type: "Reconciling", status: "True", reason: "Progressing" }];
const READY = [{ type: "Ready", status: "True" }];

function worldOf(): StepWorld {
  const world = new StepWorld("pause");
  Object.assign(world.context.input, { podTimeoutSeconds: 0.2 });
  world.kube.put(RELEASE, ownedRelease());
  world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
  return world;
}

const release = (world: StepWorld, conditions: readonly object[]) =>
  world.kube.put(RELEASE, { ...world.kube.peek<Record<string, unknown>>(RELEASE), status: { conditions } });
const job = (world: StepWorld, status: object) =>
  world.kube.put(JOB, { metadata: { name: "vault-seed" }, spec: {}, status });
const run = (world: StepWorld) => runBeats(pause, world.context);

describe("the pause is over once nobody is at work any more (hazards I1, F22)", () => {
  it("waits for an upgrade of the HelmRelease that began before it, in bounds, and a second run does, too", async () => {
    const world = worldOf();
    release(world, UPGRADING);
    for (let runs = 0; runs < 2; runs += 1)
      await assert.rejects(run(world), /waited 0\.2 s for the HelmRelease to be suspended and idle/);
    release(world, READY);
    assert.equal((await run(world)).result, "already-done");
  });

  it("goes on when that upgrade ends", async () => {
    const world = worldOf();
    release(world, UPGRADING);
    Object.assign(world.context.input, { podTimeoutSeconds: 4 });
    setTimeout(() => release(world, READY), 50);
    assert.equal((await run(world)).result, "done");
  });

  it("waits for a Job that still runs, by its name, and for none that has ended", async () => {
    const world = worldOf();
    job(world, { active: 1 });
    await assert.rejects(run(world), /waited 0\.2 s for Job vault-seed to end; it may write/);
    const later = worldOf();
    job(later, { succeeded: 1 });
    assert.equal((await run(later)).result, "done");
  });
});
