import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Journal } from "../../components/cluster/journal";
import { reaches, STAGES, type Stage } from "../../config";
import { CARRY_RIGHTS, rightName, RIGHTS, ROLLBACK_ASKS } from "../../components/gate/readAccess";
import { runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { planSteps, type PlanStage } from "../../components/steps/plan";
import { StepWorld } from "../support/stepContext";
import { carryWorlds, RESEED, scriptOf, worlds } from "../support/stepWorlds";
import { recordingRights } from "../support/usedRights";

/** What the gate asks for until a stage. */
function named(stage: Parameters<typeof reaches>[0]): Set<string> {
  return new Set(RIGHTS.filter((right) => reaches(stage, right.stage)).map(rightName));
}

/** What the fakes do not reach, each with its user. */
const ELSEWHERE = [
  ...["create", "get", "update"].map((verb) => `${verb} leases.coordination.k8s.io`), // withLease, around every step
  ...["create", "patch"].map((verb) => `${verb} networkpolicies.networking.k8s.io`), // Pulumi's own resource
  ...["delete", "update"].map((verb) => `${verb} secrets`), // saveInventory
  ...["create", "get"].map((verb) => `${verb} pods/portforward`), // podSocket
  "get pods/log", // readProbe, followProgress
  "list poddisruptionbudgets.policy", // applyReplicas, once all nodes are voters
].sort();

function isStage(stage: string): stage is Stage {
  return (STAGES as readonly string[]).includes(stage);
}

/** As the gate asks: the way back for what the cutover uses, the clean-up for all, since it comes after every stage. */
function askedUpTo(stage: PlanStage): Stage {
  if (isStage(stage)) return stage;
  return stage === "rollback" ? ROLLBACK_ASKS : "land";
}

describe("the rights that the gate asks for (F59)", () => {
  const all = new Set<string>();

  for (const record of planSteps("openbao", 3)) {
    it(`hold what step ${record.id} uses`, async () => {
      const step = await scriptOf(record.script);
      const used = new Set<string>();
      for (const make of Object.values(worlds)) {
        const world = await make(new StepWorld(record.id));
        for (const right of await rightsOf(world, step)) used.add(right);
      }
      for (const right of used) all.add(right);
      const granted = named(askedUpTo(record.stage));
      assert.deepEqual([...used].filter((right) => !granted.has(right)).sort(), []);
    });
  }

  for (const path of ["none", "restore", "restore-file", "reseed"] as const) {
    const steps = planSteps("openbao", 3, path).filter((one) => ["backup", "cutover"].includes(one.stage));
    for (const record of steps) {
      it(`hold what step ${record.id} uses with carry ${path}`, async () => {
        const used = new Set<string>();
        for (const make of [...Object.values(worlds), ...Object.values(carryWorlds)]) {
          const world = await make(new StepWorld(record.id));
          const input = { ...world.context.input, path, reseed: RESEED };
          for (const right of await rightsOf(world, await scriptOf(record.script), input)) used.add(right);
        }
        const more = CARRY_RIGHTS[path].filter((right) => reaches(record.stage as Stage, right.stage));
        const granted = new Set([...named(record.stage as Stage), ...more.map(rightName)]);
        assert.deepEqual([...used].filter((right) => !granted.has(right)).sort(), []);
      });
    }
  }

  it("are used by a step each, or named as used elsewhere", () => {
    const asked = [...new Set(RIGHTS.map(rightName))];
    assert.deepEqual(asked.filter((right) => !all.has(right)).sort(), ELSEWHERE);
  });
});

/** Runs the step as far as it comes in a moment: only its calls count here, so no wait is waited out. */
async function rightsOf(
  world: StepWorld,
  step: Step,
  input: StepContext["input"] = world.context.input,
): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  let over = false;
  const kube = Object.create(world.kube) as typeof world.kube;
  kube.waitFor = (collection, name, done, options) =>
    world.kube.waitFor(collection, name, done, { ...options, timeoutSeconds: 0 });
  const bao: StepContext["bao"] = (pod) => {
    if (over) throw new Error("the run is over");
    return world.context.bao(pod);
  };
  const recorded = recordingRights(kube, used, () => over);
  const journal = new Journal(recorded, "openbao", "tester");
  const context = { ...world.context, input, bao, journal, kube: recorded };
  const run = runBeats(step, context).catch(() => undefined);
  await Promise.race([run, nothingNew(used)]);
  over = true;
  await run;
  return used;
}

/** What a step does besides asking: git runs, files are read. On a busy machine that takes longer than four turns. */
const AT_WORK = ["ProcessWrap", "FSReqPromise", "FSReqCallback"];

/** Ends when for four turns no right came that was not seen before: a step that waits then asks the same again. */
async function nothingNew(used: ReadonlySet<string>): Promise<void> {
  let size = -1;
  const end = Date.now() + 10_000;
  for (let turns = 0; turns < 4 && Date.now() < end;) {
    await delay(50);
    const works = process.getActiveResourcesInfo().some((one) => AT_WORK.includes(one));
    turns = used.size === size && !works ? turns + 1 : 0;
    size = used.size;
  }
}
