import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { land } from "../../components/land/landing";
import { Refused, runBeats } from "../../components/steps/runStep";
import { landGit } from "../../components/steps/scripts/landGit";
import { LandingCheckout } from "../support/landingCheckout";
import { StepWorld } from "../support/stepContext";

describe("step land-git and the remote (hazard F69)", () => {
  let made: LandingCheckout;
  let world: StepWorld;
  let values: Record<string, unknown>;
  const origin = () => join(made.dir, "origin.git");
  const there = () => execFileSync("git", ["-C", origin(), "for-each-ref"], { encoding: "utf8" });

  beforeEach(async () => {
    made = await LandingCheckout.make();
    made.git("init", "--quiet", "--bare", origin());
    made.git("remote", "add", "origin", origin());
    ({ values } = await land(made.plan));
    world = await new StepWorld("land-git").onRaft().release(values).done("services");
    asks(true);
  });
  afterEach(() => made.remove());

  function asks(push: boolean): void {
    const { checkout, branch, helmRelease, variables, replicasVariable } = made.plan;
    const git = { checkout, branch, helmRelease, variables, replicasVariable, push };
    Object.assign(world.context.input, { git });
  }
  const run = () => runBeats(landGit, world.context);
  const refused = (words: RegExp) =>
    assert.rejects(run(), (error: unknown) => {
      assert.equal(error instanceof Refused && error.hazard, "F69", String(error));
      assert.match((error as Error).message, words);
      return true;
    });

  it("gets the branch when the config asks for it, and not before", async () => {
    asks(false);
    assert.equal((await run()).observed["pushed"], false);
    assert.equal(there(), "");
    asks(true);
    const { observed } = await run();
    assert.equal(observed["pushed"], true);
    assert.equal(there(), `${String(observed["head"])} commit\trefs/heads/openbao-raft\n`);
  });

  it("gets nothing of a branch that says other than what runs: by path, and without the values", async () => {
    const server = values["server"] as Record<string, object>;
    const live = { ...server, ha: { ...server["ha"], replicas: 5 } };
    world.release({ ...values, server: live });
    await refused(/Git and the live release differ: server\.ha\.replicas[^:;]*\. Expected none/);
    assert.equal(there(), "");
  });

  it("gets nothing once the Lease is lost (F10)", async () => {
    let looks = 0;
    const assertHeld = () =>
      ++looks === 1 ? Promise.resolve() : Promise.reject(new Error("lost the Lease"));
    Object.assign(world.context, { fence: { ...world.context.fence, assertHeld } });
    await assert.rejects(run(), /lost the Lease/);
    assert.equal(there(), "");
  });

  it("is not looked for without a checkout in the config", async () => {
    Object.assign(world.context.input, { git: undefined });
    await refused(/names no Git checkout; set "openbao-migration:git"/);
  });
});
