import assert from "node:assert/strict";
import { Journal, readJournalRun } from "../../components/cluster/journal";
import { evidenceOf } from "../../components/evidence/evidence";
import { runBeats, type StepContext } from "../../components/steps/runStep";
import { stepsOf } from "../../components/steps/plan";
import { passed } from "../../components/steps/scripts/passed";
import { StagePassed } from "../../components/stages/stagePassed";
import { STEP_INPUT, type StepInput } from "../../components/steps/stepInput";
import type { Stage } from "../../config";
import { PLAN } from "../support/evidenceBuilder";
import { recordResources } from "../support/recordResources";
import { configOf } from "../support/snapshotBuilder";
import { StepWorld } from "../support/stepContext";

const NS = "openbao";

/** The step of a stage, in a world in which a program wrote the journal. */
function stepOf(world: StepWorld, stage: Stage, plan = PLAN): StepContext {
  const journal = new Journal(world.kube, NS, "tester", PLAN.program);
  const input = { ...world.context.input, step: `passed-${stage}`, plan, stageSteps: idsOf(stage) };
  return { ...world.context, journal, input };
}

/** Steps of a stage with the config's defaults. */
function idsOf(stage: Stage, config = configOf()): string[] {
  return stepsOf(config)
    .filter((step) => step.stage === stage)
    .map(({ id }) => id);
}

async function carryOut(
  world: StepWorld,
  stage: Stage,
  program = PLAN.program,
  leave?: string,
): Promise<void> {
  const journal = new Journal(world.kube, NS, "tester", program);
  for (const id of idsOf(stage).filter((one) => one !== leave)) {
    await journal.append({ step: id, beat: "act", observed: {} });
    await journal.append({ step: id, beat: "done", observed: {} });
  }
}

async function evidenceIn(world: StepWorld) {
  const run = await readJournalRun(world.kube, NS);
  return evidenceOf(run!);
}

describe("step passed-STAGE", () => {
  it("tells that a stage was passed, once, bound to the journal's own uid", async () => {
    const world = new StepWorld("passed-network");
    await carryOut(world, "network");
    assert.equal((await runBeats(passed, stepOf(world, "network"))).result, "done");
    const { runId, stages } = await evidenceIn(world);
    assert.equal(runId, (await readJournalRun(world.kube, NS))?.id);
    assert.deepEqual(stages.network?.plan, PLAN);
    const writes = world.kube.writes.length;
    assert.equal((await runBeats(passed, stepOf(world, "network"))).result, "already-done");
    assert.equal(world.kube.writes.length, writes);
  });

  it("chains the stages", async () => {
    const world = new StepWorld("passed-network");
    for (const stage of ["network", "backup", "cutover", "replicas", "verify", "land"] as const) {
      await carryOut(world, stage);
      await runBeats(passed, stepOf(world, stage));
    }
    assert.equal(Object.keys((await evidenceIn(world)).stages).length, 6);
  });

  it("tells nothing of a stage that lacks a step, and stops nothing", async () => {
    const world = new StepWorld("passed-backup");
    await carryOut(world, "backup", PLAN.program, "file-copy");
    const { result, observed } = await runBeats(passed, stepOf(world, "backup"));
    assert.deepEqual([result, observed["why"]], ["already-done", "step file-copy was not done in this run"]);
    assert.deepEqual((await evidenceIn(world)).stages, {});
  });

  it("tells nothing of a stage that another version of the program carried out (F66)", async () => {
    const world = new StepWorld("passed-backup");
    await carryOut(world, "backup", "q".repeat(64));
    await runBeats(passed, stepOf(world, "backup"));
    assert.deepEqual((await evidenceIn(world)).stages, {});
  });

  it("keeps what was told when a later program or chart looks again (F64)", async () => {
    const world = new StepWorld("passed-backup");
    await carryOut(world, "backup");
    await runBeats(passed, stepOf(world, "backup"));
    const other = { ...PLAN, chart: "openbao 9.9.9" };
    assert.equal((await runBeats(passed, stepOf(world, "backup", other))).result, "already-done");
    assert.equal((await evidenceIn(world)).stages.backup?.plan.chart, PLAN.chart);
  });

  it("tells nothing when there is no journal (F5)", async () => {
    const world = new StepWorld("passed-network");
    const { result, observed } = await runBeats(passed, stepOf(world, "network"));
    assert.deepEqual([result, observed["evidence"]], ["already-done", "none"]);
    assert.deepEqual(world.kube.writes, []);
  });

  for (const [talos, steps] of [
    [undefined, ["network-probe"]],
    [{ nodeSubnets: ["10.0.0.0/24"], nodes: ["10.0.0.1"] }, ["talos-firewall", "network-probe"]],
  ] as const) {
    it(`asks for the steps that the config asks for: ${steps.join(", ")} (F64)`, async () => {
      const config = configOf(talos === undefined ? {} : { talos });
      const seen = await recordResources(
        false,
        () => new StagePassed("network-passed", { stage: "network", config, plan: PLAN }),
      );
      const { inputs } = seen.find(({ type }) => type === "command:local:Command")!;
      const environment = inputs["environment"] as Record<string, string>;
      const { stageSteps } = JSON.parse(environment[STEP_INPUT]!) as StepInput;
      assert.deepEqual(stageSteps, steps);
      assert.deepEqual(stageSteps, idsOf("network", config));
    });
  }
});
