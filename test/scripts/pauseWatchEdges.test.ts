import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { KubeError } from "../../components/cluster/kubeClient";
import { heldPath } from "../../components/delivery/heldRelease";
import { whilePaused } from "../../components/steps/pauseWatch";
import { planSteps } from "../../components/steps/plan";
import { runBeats, type Step } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { managedBy } from "../support/fakeFields";
import { HelmWorld } from "../support/helmWorld";
import { OWNER, ownedRelease, RELEASE } from "../support/ownedRelease";
import {
  CRON_JOB,
  forAnswer,
  forPod,
  held,
  pausedWorld,
  resumeAs,
  SCALE,
  stepOf,
} from "../support/pausedWorld";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

describe("the watch over the pause, at its edges (hazard F53)", () => {
  it("stays ended though somebody suspends it again: what was written in between is not known", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      await resumeAs(world, OWNER);
      await ctx.fence.assertHeld().catch(() => undefined);
      await world.kube.mergePatch(OWNER, { spec: { suspend: true } });
      await ctx.fence.assertHeld();
      await ctx.kube.mergePatch(SCALE, { spec: { replicas: 3 } });
    });
    await held(runBeats(step, world.context), /resumed kustomizations\/apps/);
    assert.deepEqual(
      world.kube.writes.filter(({ path }) => path === SCALE),
      [],
    );
  });

  it("never stands in for the Lease: a fence that is lost ends the step before its act (F10)", async () => {
    const world = await pausedWorld();
    const fence = {
      ...world.context.fence,
      assertHeld: () => Promise.reject(new Error("the Lease is lost")),
    };
    const work = whilePaused({ ...world.context, fence }, (ctx) => ctx.fence.assertHeld());
    await assert.rejects(work, /the Lease is lost/);
  });

  it("is seen by a look where the watch cannot be had, which is said and ends nothing", async () => {
    const world = await pausedWorld();
    const said: string[] = [];
    const kube = Object.create(world.kube) as typeof world.kube;
    kube.waitFor = () => Promise.reject(new KubeError("no right to watch", 403, "Forbidden"));
    const work = whilePaused(
      { ...world.context, kube, log: (line) => void said.push(line) },
      async () => {
        setImmediate(() => void resumeAs(world, OWNER));
        await forAnswer();
      },
      20,
    );
    await held(work, /resumed kustomizations\/apps/);
    assert.match(said.join(), /not watched.*no right to watch/);
  });

  it("is seen by the watch after one that ended by its time", async () => {
    const world = await pausedWorld();
    const kube = Object.create(world.kube) as typeof world.kube;
    let ends = 2;
    kube.waitFor = (...wanted) =>
      ends-- > 0 ? Promise.reject(new KubeError("waited", 0, "Timeout")) : world.kube.waitFor(...wanted);
    const work = whilePaused({ ...world.context, kube }, async () => {
      setImmediate(() => void resumeAs(world, OWNER));
      await forAnswer();
    });
    await held(work as Promise<unknown>, /resumed kustomizations\/apps/);
  });

  it("is not said of an API server that fails in a look: that tells nothing", async () => {
    const world = await pausedWorld();
    let failing = 3;
    world.kube.answer("get", /cronjobs$/, (path) => {
      if (failing-- > 0) throw new KubeError(`${path}: HTTP 503`, 503, "Down");
      return undefined;
    });
    const work = whilePaused(
      world.context,
      async (ctx) => {
        setTimeout(() => void world.pod0("rev-1"), 100);
        await forPod(ctx);
        return failing;
      },
      20,
    );
    assert.ok((await work) <= 0);
  });

  it("sees a value that somebody writes in the middle of a wait, by field and writer (I1)", async () => {
    const world = new StepWorld("pause");
    Object.assign(world.context.input, { podTimeoutSeconds: 4 });
    const { metadata, ...release } = ownedRelease({ values: RAFT_VALUES });
    const field = ["spec", "values", "server", "ha", "enabled"];
    const managedFields = [managedBy("kustomize-controller", "Apply", "2026-11-24T10:00:00Z", [field])];
    world.kube.put(RELEASE, { ...release, metadata: { ...metadata, managedFields } });
    world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
    await runBeats(pause, world.context);
    const values = { server: { standalone: { enabled: true } } };
    const step = stepOf("act", async () => {
      setImmediate(() => {
        void world.kube.mergePatch(RELEASE, { spec: { values } }, { fieldManager: "kubectl-edit" });
      });
      await forAnswer();
    });
    await held(
      runBeats(step, world.context),
      /spec\.values\.server\.standalone\.enabled by kubectl-edit \(Update/,
    );
  });

  it("sees with delivery helm that the Secret of the pause is removed, and takes the Secret for no HelmRelease", async () => {
    const helm = new HelmWorld("pause");
    await helm.run(pause);
    const looks = () => helm.kube.reads.filter((path) => path.endsWith("/cronjobs")).length;
    const before = looks();
    await whilePaused(helm.context(), () => delay(50));
    assert.equal(looks() - before, 1);
    const work = whilePaused(helm.context(), async () => {
      setImmediate(() => helm.kube.drop(heldPath("openbao")));
      await forAnswer();
    });
    await held(work, /openbao-raft-migration-release/);
  });

  it("ends with the work: no look and no watch comes after it", async () => {
    const world = await pausedWorld();
    await whilePaused(world.context, () => delay(50), 5);
    // What was under way at the end may still be answered.
    await delay(20);
    const reads = world.kube.reads.length;
    await resumeAs(world, OWNER);
    await delay(60);
    assert.deepEqual(world.kube.reads.slice(reads), []);
  });

  it("is not asked of a step that does not need it", async () => {
    const world = await pausedWorld();
    await resumeAs(world, OWNER);
    const { needsPause: _none, ...step } = stepOf("act", () => Promise.resolve());
    assert.equal((await runBeats(step, world.context)).result, "done");
  });

  it("holds what comes between the last look and the end: the step is not done", async () => {
    const world = await pausedWorld();
    for (const beat of ["act", "verify"] as const) {
      const step = stepOf(beat, async (ctx) => {
        await resumeAs(world, CRON_JOB);
        // Seen by this look, whose refusal the step itself overhears.
        if (beat === "verify") await ctx.fence.assertHeld().catch(() => undefined);
      });
      await held(runBeats(step, world.context), /resumed cronjobs\/vault-backup/);
      await world.kube.mergePatch(CRON_JOB, { spec: { suspend: true } });
    }
  });

  it("holds before the act of a pause that ended since the step looked", async () => {
    const world = await pausedWorld();
    let acted = false;
    const step: Step = {
      ...stepOf("act", () => Promise.resolve((acted = true))),
      observe: async () => {
        await resumeAs(world, CRON_JOB);
        return { state: "todo", observed: {} };
      },
    };
    await held(runBeats(step, world.context), /resumed cronjobs\/vault-backup/);
    assert.equal(acted, false);
  });
});

/** Steps of the stages in which the pause holds that do without it, each with the reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  pause: "makes it",
  cutoverInventory: "reads, before the stop",
  restoredInventory: "reads",
  reseededInventory: "reads",
  keyProof: "reads, before the stop",
  gitKeys: "writes into Git alone",
  reseedCheck: "reads, before the stop",
  compareCutover: "reads",
  compareVerify: "reads",
  externalSecrets: "annotates what Flux does not apply by the HelmRelease",
  services: "reads",
  rollbackBegin: "makes it anew",
  rollbackInventory: "reads",
  rollbackCompare: "reads",
  rollbackResume: "ends it",
  rollbackSetAside: "comes after it, on volumes that no pod has",
};

describe("the steps of the stages in which the pause holds (hazard F53)", () => {
  const STAGES = ["cutover", "replicas", "verify", "rollback"];
  const scripts = new Set(
    (["migrate", "restore", "restore-file", "reseed", "none"] as const)
      .flatMap((path) => planSteps("openbao", 3, path))
      .filter(({ stage }) => STAGES.includes(stage))
      .map(({ script }) => script),
  );

  for (const script of scripts) {
    it(`${script} ${script in WITHOUT ? `needs no pause: it ${WITHOUT[script]}` : "is watched"}`, async () => {
      const module = (await import(`../../components/steps/scripts/${script}`)) as { default: Step };
      assert.equal(module.default.needsPause ?? false, !(script in WITHOUT));
    });
  }

  it("are all that is named here", () => {
    assert.deepEqual(
      Object.keys(WITHOUT).filter((script) => !scripts.has(script)),
      [],
    );
  });
});
