import assert from "node:assert/strict";
import { VALUES_ANNOTATION } from "../../components/steps/originalValues";
import { runBeats, type Step } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { resume } from "../../components/steps/scripts/resume";
import { OWNER, ownedRelease, RELEASE } from "../support/ownedRelease";
import { StepWorld } from "../support/stepContext";

const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";

interface Seen {
  metadata: { annotations?: Record<string, string> };
  spec: { suspend?: boolean };
}

/** @param conditions what kustomize-controller has said of the owner; it has said nothing when absent. */
function worldOf(spec: object = {}, conditions?: readonly object[]): StepWorld {
  const world = new StepWorld("pause");
  world.kube.put(RELEASE, ownedRelease());
  putOwner(world, { spec: { timeout: "100ms", ...spec } }, conditions);
  return world;
}

function putOwner(world: StepWorld, owner: object, conditions: readonly object[] | undefined): void {
  world.kube.put(OWNER, {
    metadata: { name: "apps", generation: 1 },
    ...owner,
    ...(conditions && { status: { conditions } }),
  });
}

const READY = [{ type: "Ready", status: "True", observedGeneration: 99 }];
const BUSY = [{ type: "Reconciling", status: "True", reason: "Progressing", observedGeneration: 1 }];

const peek = (world: StepWorld, path: string) => world.kube.peek<Seen>(path)!;

function run(world: StepWorld, step: Step) {
  return runBeats(step, { ...world.context, input: { ...world.context.input, step: step.id } });
}

/** kustomize-controller applies the parent, whose Git says `suspend: false` for the owner. */
async function parentRuns(world: StepWorld): Promise<void> {
  if (peek(world, OWNER).metadata.annotations?.[RECONCILE] === "disabled") return;
  await world.kube.mergePatch(OWNER, { spec: { suspend: false } });
}

describe("a parent whose Git says suspend: false for the owner (hazards I38, F53)", () => {
  for (const suspend of [undefined, false, true]) {
    it(`does not un-suspend it in the outage: suspend was ${suspend ?? "absent"} before`, async () => {
      const world = worldOf({ suspend });
      await run(world, pause);
      await parentRuns(world);
      assert.equal(peek(world, OWNER).spec.suspend, true);
    });
  }

  it("is kept away by a second run, too, where an older version of this program paused without it", async () => {
    const world = worldOf();
    await run(world, pause);
    await world.kube.mergePatch(OWNER, { metadata: { annotations: { [RECONCILE]: null } } });
    await run(world, pause);
    await parentRuns(world);
    assert.equal(peek(world, OWNER).spec.suspend, true);
  });

  for (const killedAt of [1, 2, 3, 4]) {
    it(`takes it over again though the resuming was killed at its write ${killedAt}`, async () => {
      const world = worldOf({}, READY);
      await run(world, pause);
      world.onRaft().statefulSet(3);
      await world.done("land-git");
      let writes = 0;
      world.kube.onWrite(({ path }) => {
        if (!path.includes("configmaps") && ++writes === killedAt) throw new Error("killed");
      });
      await assert.rejects(run(world, resume), /killed/);
      await run(world, resume);
      const { metadata, spec } = peek(world, OWNER);
      assert.deepEqual(metadata.annotations, {});
      assert.equal(spec.suspend, undefined);
      assert.equal(peek(world, RELEASE).spec.suspend, undefined);
    });
  }
});

describe("a run of the owner that began before it was suspended (hazards I1, I38)", () => {
  it("is waited for before the HelmRelease is touched, in bounds, and by name", async () => {
    const world = worldOf({}, BUSY);
    await assert.rejects(run(world, pause), /waited 1\.1 s for Kustomization apps to end the run.*run again/);
    assert.equal(peek(world, OWNER).spec.suspend, true);
    assert.equal(peek(world, RELEASE).spec.suspend, undefined);
  });

  it("is over when it says so: what it wrote last counts as the old values", async () => {
    const world = worldOf({}, BUSY);
    world.kube.onWrite(({ path }) => {
      if (path !== OWNER) return;
      setImmediate(() => {
        const release = world.kube.peek<Record<string, unknown>>(RELEASE)!;
        const values = { server: { standalone: { enabled: "as the last run says" } } };
        world.kube.put(RELEASE, { ...release, spec: { values } });
        putOwner(world, world.kube.peek(OWNER)!, READY);
      });
    });
    assert.equal((await run(world, pause)).result, "done");
    assert.match(
      peek(world, RELEASE).metadata.annotations?.[VALUES_ANNOTATION] ?? "",
      /as the last run says/,
    );
  });

  it("makes a second run wait, too", async () => {
    const world = worldOf();
    await run(world, pause);
    putOwner(world, world.kube.peek(OWNER)!, BUSY);
    await assert.rejects(run(world, pause), /Kustomization apps to end the run/);
  });

  const idle: Record<string, readonly object[] | undefined> = {
    "no controller has said anything": undefined,
    "it is ready": READY,
    "its last run failed, and would be tried again": [
      { type: "Ready", status: "False", reason: "HealthCheckFailed" },
      { type: "Reconciling", status: "True", reason: "ProgressingWithRetry" },
    ],
  };
  for (const [title, conditions] of Object.entries(idle)) {
    it(`there is none: ${title}`, async () => {
      assert.equal((await run(worldOf({}, conditions), pause)).result, "done");
    });
  }
});
