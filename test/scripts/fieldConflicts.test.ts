import assert from "node:assert/strict";
import { OUR_MANAGERS, ownersOf } from "../../components/cluster/fieldOwners";
import { OWNED_VALUES } from "../../components/openBaoConfig/targetValues";
import { OWNERS_ANNOTATION } from "../../components/steps/fieldConflicts";
import { VALUES_ANNOTATION } from "../../components/steps/originalValues";
import { Refused, runBeats, type Step } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { roll } from "../../components/steps/scripts/roll";
import { managedBy } from "../support/fakeFields";
import { OWNER, ownedRelease, RELEASE } from "../support/ownedRelease";
import { StepWorld } from "../support/stepContext";

const T0 = "2026-11-24T07:00:00Z";
const OLD = { server: { standalone: { enabled: true, config: "x" }, ha: { replicas: 1 } } };
const STANDALONE = ["spec", "values", "server", "standalone", "enabled"];
const FROM_GIT = [STANDALONE, ["spec", "values", "server", "ha", "replicas"]];
const LAYER = { server: { standalone: { enabled: false }, ha: { enabled: true, raft: { enabled: true } } } };

/** A HelmRelease from Git, as kustomize-controller applies it. */
function worldOf(): StepWorld {
  const world = new StepWorld("pause");
  const release = ownedRelease({ values: OLD });
  const managedFields = [managedBy("kustomize-controller", "Apply", T0, FROM_GIT)];
  world.kube.put(RELEASE, { ...release, metadata: { ...release.metadata, managedFields } });
  world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
  return world;
}

const run = (world: StepWorld, step: Step) =>
  runBeats(step, { ...world.context, input: { ...world.context.input, step: step.id } });
const annotations = (world: StepWorld) =>
  world.kube.peek<{ metadata: { annotations: Record<string, string> } }>(RELEASE)!.metadata.annotations;

async function stopped(): Promise<StepWorld> {
  const world = worldOf();
  await run(world, pause);
  return world.statefulSet(0).noPod();
}

async function refusedByName(world: StepWorld, words: RegExp): Promise<void> {
  world.kube.writes.length = 0;
  await assert.rejects(run(world, roll), (error: unknown) => {
    assert.equal(error instanceof Refused && error.hazard, "F53", String(error));
    assert.match((error as Error).message, words);
    return true;
  });
  assert.deepEqual(world.kube.writes, []);
}

/** The step's guards let it through: it waits for the pod, which nobody starts here. */
const goesOn = (world: StepWorld) => assert.rejects(run(world, roll), /waited 1 s for pod openbao-0/);

describe("the fields that are taken by force (hazard F53)", () => {
  it("are recorded with their owners of before the pause, and those owners are no conflict", async () => {
    const world = await stopped();
    assert.deepEqual(JSON.parse(annotations(world)[OWNERS_ANNOTATION]!), {
      [FROM_GIT[0]!.join(".")]: [`kustomize-controller (Apply, ${T0})`],
      [FROM_GIT[1]!.join(".")]: [`kustomize-controller (Apply, ${T0})`],
    });
    await goesOn(world);
    await world.kube.mergePatch(RELEASE, { spec: { values: LAYER } }, { fieldManager: OUR_MANAGERS.values });
    await goesOn(world);
  });

  it("stop the next step when somebody writes one before the layer: by field, manager and time", async () => {
    const world = await stopped();
    const values = { server: { ha: { replicas: 2 } } };
    await world.kube.mergePatch(RELEASE, { spec: { values } }, { fieldManager: "argocd-controller" });
    const [{ time } = { time: "" }] = ownersOf(world.kube.peek(RELEASE), FROM_GIT[1]!);
    await refusedByName(
      world,
      new RegExp(
        `spec\\.values\\.server\\.ha\\.replicas by argocd-controller \\(Update, ${time}\\).*Nothing is forced`,
      ),
    );
  });

  it("stop it when somebody takes one back after the layer", async () => {
    const world = await stopped();
    await world.kube.mergePatch(RELEASE, { spec: { values: LAYER } }, { fieldManager: OUR_MANAGERS.values });
    const values = { server: { standalone: { enabled: true } } };
    await world.kube.mergePatch(RELEASE, { spec: { values } }, { fieldManager: "kubectl-edit" });
    await refusedByName(world, /spec\.values\.server\.standalone\.enabled by kubectl-edit \(Update, /);
  });

  it("do not stop it when somebody writes another field, though that moves the time of their entry", async () => {
    const world = worldOf();
    const release = world.kube.peek<Record<string, unknown> & { metadata: object }>(RELEASE)!;
    const managedFields = [managedBy("kubectl-edit", "Update", T0, FROM_GIT)];
    world.kube.put(RELEASE, { ...release, metadata: { ...release.metadata, managedFields } });
    await run(world, pause);
    world.statefulSet(0).noPod();
    const values = { server: { logLevel: "debug" } };
    await world.kube.mergePatch(RELEASE, { spec: { values } }, { fieldManager: "kubectl-edit" });
    await goesOn(world);
  });

  it("go on once a person lets what is there count, by removing the record", async () => {
    const world = await stopped();
    const values = { server: { ha: { replicas: 2 } } };
    await world.kube.mergePatch(RELEASE, { spec: { values } }, { fieldManager: "kubectl-edit" });
    await refusedByName(world, new RegExp(`remove the annotation ${OWNERS_ANNOTATION}`));
    await world.kube.mergePatch(RELEASE, { metadata: { annotations: { [OWNERS_ANNOTATION]: null } } });
    await goesOn(world);
  });

  it("name who resumed the HelmRelease, and when", async () => {
    const world = await stopped();
    await world.kube.mergePatch(RELEASE, { spec: { suspend: false } }, { fieldManager: "kubectl-patch" });
    await refusedByName(
      world,
      /resumed helmreleases\/openbao \(kubectl-patch \(Update, 20.*Z\)\) in the middle/,
    );
  });

  it("tell that a removed field has no owner, and who wrote last", async () => {
    const world = await stopped();
    await world.kube.mergePatch(RELEASE, { spec: { suspend: null } }, { fieldManager: "flux" });
    await refusedByName(world, /\(the field is gone; last other writer kustomize-controller \(Apply, /);
  });
});

describe("a pause that somebody ended before the stop, and that is made again (hazard F53)", () => {
  it("records values and owners anew: the way back is what they set, not what was there at first", async () => {
    const world = worldOf();
    await run(world, pause);
    const spec = { suspend: false, values: { server: { ha: { replicas: 5 } } } };
    await world.kube.mergePatch(RELEASE, { spec }, { fieldManager: "kubectl-edit" });
    await run(world, pause);
    const kept = JSON.parse(annotations(world)[VALUES_ANNOTATION]!) as Record<string, unknown>;
    assert.equal(kept["server.ha.replicas"], 5);
    assert.ok(OWNED_VALUES.some((path) => path.join(".") === "server.ha.replicas"));
    await goesOn(world.statefulSet(0).noPod());
  });
});
