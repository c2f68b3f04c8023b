import assert from "node:assert/strict";
import { JOURNAL_NAME } from "../../components/cluster/journal";
import { Refused, runBeats, type Step } from "../../components/steps/runStep";
import { applyReplicas } from "../../components/steps/scripts/applyReplicas";
import { flip } from "../../components/steps/scripts/flip";
import { pause } from "../../components/steps/scripts/pause";
import { resume } from "../../components/steps/scripts/resume";
import { roll } from "../../components/steps/scripts/roll";
import { APPLYING_ANNOTATION, PAUSED_ANNOTATION, UPGRADE_ANNOTATION } from "../../components/steps/world";
import { OWNER, ownedRelease, RELEASE } from "../support/ownedRelease";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const JOURNAL = `/api/v1/namespaces/openbao/configmaps/${JOURNAL_NAME}`;
const CRON_JOB = "/apis/batch/v1/namespaces/openbao/cronjobs/vault-backup";
const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";
const UPGRADE = { crds: "Skip", remediation: { retries: 5, strategy: "rollback" } };

interface Paused {
  metadata: { annotations?: Record<string, string> };
  spec: { suspend?: boolean; upgrade?: Record<string, unknown> };
}

interface Before {
  readonly release?: object;
  readonly annotations?: Record<string, string>;
  readonly owner?: object;
  readonly ownerAnnotations?: Record<string, string>;
  readonly job?: object;
}

/** A world as the user has it, before the pause; `server` stands for one step's context in it. */
function worldOf(before: Before = {}): StepWorld {
  const world = new StepWorld("pause");
  world.kube.put(RELEASE, ownedRelease({ upgrade: UPGRADE, ...before.release }, before.annotations));
  world.kube.put(OWNER, {
    metadata: { name: "apps", generation: 1, annotations: before.ownerAnnotations ?? {} },
    spec: { interval: "1m", timeout: "1s", ...before.owner },
    // As kustomize-controller leaves it: all of this generation is applied.
    status: { conditions: [{ type: "Ready", status: "True", observedGeneration: 99 }] },
  });
  world.kube.put(CRON_JOB, { metadata: { name: "vault-backup" }, spec: { suspend: false, ...before.job } });
  return world;
}

const peek = (world: StepWorld, path: string) => world.kube.peek<Paused>(path)!;

function run(world: StepWorld, step: Step, id = step.id) {
  return runBeats(step, { ...world.context, input: { ...world.context.input, step: id } });
}

/** Spec and annotations of all three writers, without what Flux's "reconcile now" leaves. */
function asFound(world: StepWorld): unknown {
  return [RELEASE, OWNER, CRON_JOB].map((path) => {
    const { metadata, spec } = peek(world, path);
    const { ["reconcile.fluxcd.io/requestedAt"]: _asked, ...annotations } = metadata.annotations ?? {};
    return JSON.parse(JSON.stringify({ spec, annotations })) as unknown;
  });
}

/** The move has been made by hand and landed, and Flux is resumed. */
async function landAndResume(world: StepWorld): Promise<void> {
  world.onRaft().statefulSet(3);
  await world.done("land-git");
  await run(world, resume);
}

async function refusesWithF53(work: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.equal(error instanceof Refused && error.hazard, "F53", String(error));
    assert.match((error as Error).message, words);
    return true;
  });
}

describe("pausing every writer (hazards I1, I38)", () => {
  it("suspends the Kustomization before the HelmRelease, and the CronJobs too, with Flux's remediation off", async () => {
    const world = worldOf();
    await run(world, pause);
    const paths = world.kube.writes
      .filter(({ path }) => !path.includes("configmaps"))
      .map(({ path }) => path);
    assert.deepEqual(paths, [OWNER, RELEASE, CRON_JOB]);
    for (const path of paths) assert.equal(peek(world, path).spec.suspend, true, path);
    assert.deepEqual(peek(world, RELEASE).spec.upgrade, {
      crds: "Skip",
      disableWait: true,
      remediation: { retries: 0, strategy: "rollback", remediateLastFailure: false },
    });
    assert.equal(peek(world, RELEASE).metadata.annotations?.[RECONCILE], "disabled");
  });

  it("goes on where a killed run stopped: a HelmRelease that is paused alone is not enough", async () => {
    const world = worldOf();
    await run(world, pause);
    world.kube.put(CRON_JOB, { metadata: { name: "vault-backup" }, spec: { suspend: false } });
    assert.equal((await run(world, pause)).result, "done");
    assert.equal(peek(world, CRON_JOB).spec.suspend, true);
  });

  it("writes nothing when all is paused", async () => {
    const world = worldOf();
    await run(world, pause);
    world.kube.writes.length = 0;
    assert.equal((await run(world, pause)).result, "already-done");
    assert.deepEqual(world.kube.writes, []);
  });
});

describe("resuming puts back exactly what was there", () => {
  const cases: Record<string, Before> = {
    "nothing was set": {},
    "suspend: false was written out": { release: { suspend: false }, owner: { suspend: false } },
    "the user's HelmRelease was suspended": { release: { suspend: true } },
    "the user's Kustomization was suspended": { owner: { suspend: true } },
    "the user's CronJob was suspended": { job: { suspend: true } },
    "the user had told kustomize-controller to leave the HelmRelease alone": {
      annotations: { [RECONCILE]: "disabled", mine: "kept" },
    },
    "the user had told the Kustomization's parent to leave it alone": {
      ownerAnnotations: { [RECONCILE]: "disabled", mine: "kept" },
    },
    "the user's Kustomization was suspended, and another value stood there": {
      owner: { suspend: true },
      ownerAnnotations: { [RECONCILE]: "ssa" },
    },
    "the user had no spec.upgrade": { release: { upgrade: undefined } },
  };
  for (const [title, before] of Object.entries(cases)) {
    it(title, async () => {
      const world = worldOf(before);
      const found = asFound(world);
      await run(world, pause);
      assert.notDeepEqual(asFound(world), found);
      await landAndResume(world);
      assert.deepEqual(asFound(world), found);
    });
  }

  it("also after a run that died in the middle of pausing, and a second one that went on", async () => {
    const world = worldOf({ annotations: { [RECONCILE]: "ssa" }, owner: { suspend: false } });
    const found = asFound(world);
    let writes = 0;
    world.kube.onWrite(({ path }) => {
      if (!path.includes("configmaps") && ++writes === 2) throw new Error("killed");
    });
    await assert.rejects(run(world, pause), /killed/);
    await run(world, pause);
    await landAndResume(world);
    assert.deepEqual(asFound(world), found);
  });

  it("refuses to put an outdated spec.upgrade over one that was changed meanwhile (hazard F53)", async () => {
    const world = worldOf();
    await run(world, pause);
    await world.kube.mergePatch(RELEASE, { spec: { upgrade: { remediation: { retries: 9 } } } });
    await refusesWithF53(landAndResume(world), /spec\.upgrade.*"retries":9.*run again/s);
    assert.deepEqual(peek(world, RELEASE).spec.upgrade?.["remediation"], {
      retries: 9,
      strategy: "rollback",
      remediateLastFailure: false,
    });
    await world.kube.mergePatch(RELEASE, { metadata: { annotations: { [UPGRADE_ANNOTATION]: null } } });
    await run(world, resume);
    assert.equal(peek(world, RELEASE).spec.suspend, undefined);
    assert.equal((peek(world, RELEASE).spec.upgrade?.["remediation"] as { retries: number }).retries, 9);
  });

  it("does nothing to a HelmRelease that somebody suspends after landing", async () => {
    const world = worldOf();
    await run(world, pause);
    await landAndResume(world);
    await world.kube.mergePatch(RELEASE, { spec: { suspend: true } });
    world.kube.writes.length = 0;
    assert.equal((await run(world, resume)).result, "already-done");
    assert.deepEqual(world.kube.writes, []);
  });
});

describe("somebody resumes Flux in the middle (hazard F53)", () => {
  const resumed: Record<string, (world: StepWorld) => Promise<unknown>> = {
    "helmreleases/openbao": (world) => world.kube.mergePatch(RELEASE, { spec: { suspend: false } }),
    "kustomizations/apps": (world) => world.kube.mergePatch(OWNER, { spec: { suspend: null } }),
    "cronjobs/vault-backup": (world) => world.kube.mergePatch(CRON_JOB, { spec: { suspend: false } }),
  };

  async function stopped(before: Before = {}): Promise<StepWorld> {
    const world = worldOf(before);
    await run(world, pause);
    await world.kube.mergePatch(RELEASE, { spec: { values: RAFT_VALUES } });
    return world.statefulSet(0).noPod();
  }

  for (const [name, act] of Object.entries(resumed)) {
    it(`is refused by name, and nothing is flipped back: ${name}`, async () => {
      const world = await stopped();
      await act(world);
      world.kube.writes.length = 0;
      await refusesWithF53(run(world, pause), new RegExp(`resumed ${name} in the middle.*run again`));
      await refusesWithF53(run(world, roll), new RegExp(`resumed ${name} in the middle`));
      assert.deepEqual(world.kube.writes, []);
    });
  }

  it("is refused after a pause that was killed at its end, and found done by the next run", async () => {
    const world = await stopped();
    const journal = world.kube.peek<{ data: Record<string, string> }>(JOURNAL)!;
    const data = Object.fromEntries(
      Object.entries(journal.data).map(([key, text]) =>
        key.endsWith(".pause.done") ? [key, text.replace('"beat":"done"', '"beat":"found"')] : [key, text],
      ),
    );
    assert.notDeepEqual(data, journal.data);
    world.kube.put(JOURNAL, { ...journal, data });
    await resumed["helmreleases/openbao"]!(world);
    world.kube.writes.length = 0;
    await refusesWithF53(run(world, pause), /resumed helmreleases\/openbao in the middle/);
    assert.deepEqual(world.kube.writes, []);
  });

  it("is refused for a Kustomization that the user had suspended before us", async () => {
    const world = await stopped({ owner: { suspend: true } });
    await world.kube.mergePatch(OWNER, { spec: { suspend: false } });
    await refusesWithF53(run(world, roll), /kustomizations\/apps/);
  });

  it("is seen after the act, too", async () => {
    const world = await stopped();
    const step: Step = {
      id: "some",
      needsPause: true,
      observe: () => Promise.resolve({ state: "todo", observed: {} }),
      act: () => resumed["helmreleases/openbao"]!(world).then(() => undefined),
      verify: () => Promise.reject(new Error("not reached")),
    };
    await refusesWithF53(run(world, step), /helmreleases\/openbao/);
  });

  it("is not what step resume began: killed in between, with Pulumi's state lost, every step goes on (F5)", async () => {
    const world = await stopped();
    world.onRaft().statefulSet(3);
    await world.done("land-git");
    await world.done("apply-replicas");
    const values = { server: { ha: { ...RAFT_VALUES.server.ha, replicas: 3 } } };
    await world.kube.mergePatch(RELEASE, { spec: { values } });
    await world.wrote("resume", "act");
    await resumed["helmreleases/openbao"]!(world);
    world.kube.writes.length = 0;
    for (const step of [pause, flip, applyReplicas])
      assert.equal((await run(world, step)).result, "already-done", step.id);
    assert.deepEqual(
      world.kube.writes.filter(({ path }) => path !== JOURNAL),
      [],
      "nothing is paused again",
    );
    await run(world, resume);
    assert.equal(peek(world, OWNER).spec.suspend, undefined);
    assert.equal(peek(world, CRON_JOB).spec.suspend, false);
  });

  it("goes on once it is suspended again, and still knows what was there at first", async () => {
    const world = await stopped({ annotations: { [RECONCILE]: "ssa" } });
    // As an editor of the whole object would: our marks are gone with it.
    await world.kube.mergePatch(RELEASE, {
      metadata: { annotations: { [PAUSED_ANNOTATION]: null, [RECONCILE]: null } },
      spec: { suspend: true },
    });
    await run(world, pause);
    await landAndResume(world);
    const { metadata, spec } = peek(world, RELEASE);
    assert.equal(metadata.annotations?.[RECONCILE], "ssa");
    assert.equal(spec.suspend, undefined);
    assert.deepEqual(spec.upgrade, UPGRADE);
  });

  it("is not what a run of ours left that was killed while it let Flux apply the values once", async () => {
    const world = await stopped();
    await world.kube.mergePatch(RELEASE, {
      metadata: { annotations: { [APPLYING_ANNOTATION]: "tester" } },
      spec: { suspend: false },
    });
    await run(world, pause);
    assert.equal(peek(world, RELEASE).spec.suspend, true);
    assert.equal(peek(world, RELEASE).metadata.annotations?.[APPLYING_ANNOTATION], undefined);
  });

  it("before the stop does no harm: it is paused again, with what is there now", async () => {
    const world = worldOf();
    await run(world, pause);
    await world.kube.mergePatch(RELEASE, { spec: { suspend: false, upgrade: { timeout: "1m" } } });
    await run(world, pause);
    assert.equal(peek(world, RELEASE).spec.suspend, true);
    const kept = peek(world, RELEASE).metadata.annotations?.[UPGRADE_ANNOTATION] ?? "";
    assert.equal((JSON.parse(kept) as { timeout: string }).timeout, "1m");
  });
});
