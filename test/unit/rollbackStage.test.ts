import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { CleanupStage } from "../../components/stages/cleanupStage";
import { RollbackStage } from "../../components/stages/rollbackStage";
import { planSteps } from "../../components/steps/plan";
import { configOf } from "../support/snapshotBuilder";

describe("the stages of the way back and of cleanup", () => {
  const made: { type: string; name: string; inputs: Record<string, unknown> }[] = [];

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        made.push({ type, name, inputs: inputs as Record<string, unknown> });
        return { id: name, state: inputs as Record<string, unknown> };
      },
      call: () => ({}),
    });
  });
  beforeEach(() => (made.length = 0));

  const commands = () => made.filter(({ type }) => type === "command:local:Command");
  /** Registration goes on behind the constructor: bounded, until so many Commands are there. */
  const settle = async (count: number): Promise<void> => {
    const end = Date.now() + 10_000;
    while (commands().length < count && Date.now() < end) await new Promise((next) => setImmediate(next));
  };

  it("a rollback makes its steps in the plan's order, and no object of the cluster", async () => {
    const config = configOf({ rollback: true, git: { checkout: "x", helmRelease: "y" } });
    new RollbackStage("rollback", { config });
    const plan = planSteps("openbao", 3).filter((step) => step.stage === "rollback");
    await settle(plan.length);
    assert.deepEqual(
      commands().map(({ name }) => name),
      plan.map((step) => `rollback-${step.id}`),
    );
    assert.deepEqual(
      made.filter(({ type }) => type.startsWith("kubernetes:")),
      [],
    );
    for (const { inputs } of commands()) {
      // Removing the resource must never act; a changed input runs the step again, which finds itself done.
      assert.deepEqual(
        [inputs["delete"], inputs["update"], inputs["triggers"]],
        [undefined, undefined, undefined],
      );
    }
  });

  it("each step of a rollback comes after the one before it, the stop before any file is moved", () => {
    const plan = planSteps("openbao", 3).filter((step) => step.stage === "rollback");
    plan.forEach((step, n) => assert.deepEqual(step.after, n === 0 ? [] : [plan[n - 1]?.id]));
    const ids = plan.map((step) => step.id);
    assert.ok(ids.indexOf("rollback-stop") < ids.indexOf("rollback-swap"));
    assert.ok(ids.indexOf("rollback-swap") < ids.indexOf("rollback-values"));
    assert.ok(ids.indexOf("rollback-compare") < ids.indexOf("rollback-resume"));
  });

  it("cleanup hands the volume's name to its step, which others do not get", async () => {
    const git = { checkout: "x", helmRelease: "y" };
    new CleanupStage("cleanup", {
      config: configOf({ stage: "land", git, cleanup: { fileData: "data-openbao-0" } }),
    });
    await settle(1);
    assert.equal(commands().length, 1);
    const environment = commands()[0]?.inputs["environment"] as Record<string, string>;
    assert.match(String(environment["OPENBAO_MIGRATION_STEP"]), /"cleanup":\{"fileData":"data-openbao-0"\}/);
  });
});
