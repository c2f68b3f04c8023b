import assert from "node:assert/strict";
import { Journal, readJournalRun } from "../../components/cluster/journal";
import { podTrust } from "../../components/cluster/podTrust";
import { evidenceOf } from "../../components/evidence/evidence";
import { refuseChangedKey } from "../../components/steps/keyProof";
import { planSteps } from "../../components/steps/plan";
import { Refused, runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { finalSnapshot } from "../../components/steps/scripts/finalSnapshot";
import { init } from "../../components/steps/scripts/init";
import { passed } from "../../components/steps/scripts/passed";
import { restore } from "../../components/steps/scripts/restore";
import { rollbackBegin } from "../../components/steps/scripts/rollbackBegin";
import { setAside } from "../../components/steps/scripts/setAside";
import { stop } from "../../components/steps/scripts/stop";
import { PLAN } from "../support/evidenceBuilder";
import { FakeKube } from "../support/fakeKube";
import { moved, refuses } from "../support/rollbackWorld";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

type Path = NonNullable<StepContext["input"]["path"]>;

function on(world: StepWorld, path: Path): StepContext {
  return { ...world.context, input: { ...world.context.input, path } };
}

describe("the key proof of file storage, on the data paths that have none (F24)", () => {
  const paused = (step: string) => new StepWorld(step).onRaft().release(RAFT_VALUES, true);

  it("is not asked for by stop where a snapshot was proved, or the store gets new keys", async () => {
    for (const [path, needed] of [
      ["restore", ["snapshot", "inventory-cutover"]],
      ["restore-file", ["snapshot"]],
      ["reseed", ["reseed-check"]],
    ] as const) {
      const world = paused("stop");
      for (const step of needed) await world.done(step);
      assert.equal((await stop.observe(on(world, path))).state, "todo", path);
    }
  });

  it("is asked for by stop on migrate, whatever else was proved", async () => {
    const world = new StepWorld("stop").release({}, true);
    for (const step of ["file-copy", "inventory-cutover", "snapshot"]) await world.done(step);
    const seen = await stop.observe(world.context);
    assert.deepEqual([seen.state, seen.state === "refuse" && seen.hazard], ["refuse", "F24"]);
  });

  it("of an earlier try with migrate does not stop the new keys of a reseed (F26)", async () => {
    const world = await paused("unseal-0").provenKey("0d".repeat(32));
    await refuseChangedKey(on(world, "reseed"));
    await assert.rejects(refuseChangedKey(world.context), /\[F26\]/);
  });
});

describe("a rollback of another data path than migrate (F67)", () => {
  it("is refused by its first step before it writes, by the config's path", async () => {
    const world = moved("rollback-begin");
    const context = on(world, "none");
    await assert.rejects(runBeats(rollbackBegin, context), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F67", String(error));
      return true;
    });
  });

  for (const step of ["set-aside", "restore", "init"]) {
    it(`is refused once step ${step} has acted, though the config says migrate by now`, async () =>
      void (await refuses(rollbackBegin, await moved("rollback-begin").wrote(step, "act"), "F67")));
  }
});

describe("steps between the stop and the new store hold when somebody resumes Flux (F53)", () => {
  for (const step of [setAside, finalSnapshot, restore, init] as readonly Step[]) {
    it(`${step.id} does not act`, async () => {
      const world = new StepWorld(step.id).release(RAFT_VALUES, true).statefulSet(0).noPod();
      await world.done("final-snapshot", { file: "/nowhere/source.snap" });
      world.kube.put("/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao", {
        metadata: { name: "openbao", namespace: "openbao" },
        spec: { values: RAFT_VALUES },
      });
      let acted = false;
      const todo: Step = {
        ...step,
        observe: () => Promise.resolve({ state: "todo", observed: {} }),
        act: () => {
          acted = true;
          return Promise.resolve();
        },
      };
      await assert.rejects(runBeats(todo, on(world, "restore")), /somebody resumed .*\[F53\]/);
      assert.equal(acted, false);
    });
  }
});

describe("the copy that step final-snapshot starts", () => {
  const server = { namespace: "openbao", release: "openbao", tls: { caSecret: "ca", caKey: "ca.crt" } };

  it("is spoken to without TLS: it listens on its own loopback and has no certificate (F61)", () => {
    assert.equal(podTrust(new FakeKube(), server, "openbao-raft-final-snapshot-x7k2p"), undefined);
  });

  it("is no server's pod: those are never spoken to without TLS", () => {
    for (const pod of ["openbao-0", "openbao-12"])
      assert.notEqual(podTrust(new FakeKube(), server, pod), undefined);
  });
});

describe("the evidence of a data path (F64)", () => {
  it("is of that path's own steps", async () => {
    const world = new StepWorld("passed-cutover");
    const journal = new Journal(world.kube, "openbao", "tester", PLAN.program);
    const stepsOf = (path: Parameters<typeof planSteps>[2]) =>
      planSteps("openbao", 3, path)
        .filter(({ stage, script }) => stage === "cutover" && script !== "passed")
        .map(({ id }) => id);
    for (const id of stepsOf("none")) {
      await journal.append({ step: id, beat: "act", observed: {} });
      await journal.append({ step: id, beat: "done", observed: {} });
    }
    const { input } = world.context;
    const context = {
      ...world.context,
      journal,
      input: { ...input, plan: PLAN, stageSteps: stepsOf("migrate") },
    };
    assert.match(String((await runBeats(passed, context)).observed["why"]), /step \S+ was not done/);
    const own = { ...context, input: { ...context.input, stageSteps: stepsOf("none") } };
    assert.equal((await runBeats(passed, own)).result, "done");
    const run = await readJournalRun(world.kube, "openbao");
    assert.ok(evidenceOf(run!).stages.cutover !== undefined);
  });
});
