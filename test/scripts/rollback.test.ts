import assert from "node:assert/strict";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { isMarked } from "../../components/steps/pauseRecord";
import { valuesRecord } from "../../components/steps/originalValues";
import { runBeats } from "../../components/steps/runStep";
import { rollbackBegin } from "../../components/steps/scripts/rollbackBegin";
import { rollbackResume } from "../../components/steps/scripts/rollbackResume";
import { rollbackSetAside } from "../../components/steps/scripts/rollbackSetAside";
import { rollbackStop } from "../../components/steps/scripts/rollbackStop";
import { rollbackSwap } from "../../components/steps/scripts/rollbackSwap";
import { rollbackUnseal } from "../../components/steps/scripts/rollbackUnseal";
import { rollbackValues } from "../../components/steps/scripts/rollbackValues";
import { PAUSED_ANNOTATION, type HelmRelease } from "../../components/steps/world";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";
import {
  annotated,
  findsDone,
  moved,
  noServer,
  OLD_VALUES,
  refuses,
  RELEASE,
} from "../support/rollbackWorld";

describe("a rollback is refused (hazard F67)", () => {
  it("once the move has landed, with the loss stated", async () => {
    const world = await moved("rollback-begin").done("stop");
    await world.done("resume");
    const { message } = await refuses(rollbackBegin, world, "F67");
    assert.match(message, /landed.*file storage is as of .* ago.*every write since then would be lost/);
  });

  it("once landing has begun: Flux may have its work back already", async () =>
    void (await refuses(rollbackBegin, await moved("rollback-begin").wrote("resume", "act"), "F67")));

  it("when a journal that is lost says nothing, and the pause is gone while the server is on Raft", async () =>
    void (await refuses(
      rollbackBegin,
      new StepWorld("rollback-begin").onRaft().release(RAFT_VALUES),
      "F67",
    )));

  it("when nobody knows the old values (hazard I1)", async () =>
    void (await refuses(
      rollbackBegin,
      new StepWorld("rollback-begin").onRaft().release(RAFT_VALUES, true),
      "I1",
    )));
});

describe("a rollback with nothing to take back", () => {
  for (const [step, id] of [
    [rollbackBegin, "rollback-begin"],
    [rollbackStop, "rollback-stop"],
    [rollbackSwap, "rollback-swap"],
    [rollbackValues, "rollback-values"],
    [rollbackUnseal, "rollback-unseal"],
    [rollbackResume, "rollback-resume"],
    [rollbackSetAside, "rollback-set-aside-1"],
  ] as const) {
    it(`${id} changes nothing`, () =>
      findsDone(step, new StepWorld(id).release(OLD_VALUES).rendered("file")));
  }
});

describe("a rollback", () => {
  it("begins with a mark in the journal, which a second run finds", async () => {
    const world = moved("rollback-begin");
    assert.equal((await runBeats(rollbackBegin, world.context)).result, "done");
    world.kube.writes.length = 0;
    await findsDone(rollbackBegin, world);
  });

  it("stops every pod at once, after the count is 0", async () => {
    const world = await moved("rollback-stop").wrote("rollback-begin", "act");
    const labels = { "app.kubernetes.io/instance": "openbao", component: "server" };
    world.statefulSet(2);
    for (const n of [0, 1]) {
      world.kube.put(`/api/v1/namespaces/openbao/pods/openbao-${n}`, {
        metadata: { name: `openbao-${n}`, uid: `uid-${n}`, labels },
      });
    }
    await runBeats(rollbackStop, world.context);
    const writes = world.kube.writes.filter(({ path }) => !path.endsWith("-journal"));
    assert.deepEqual(
      writes.map(({ verb, path }) => `${verb} ${path.split("/").slice(-2).join("/")}`),
      ["mergePatch openbao/scale", "remove pods/openbao-0", "remove pods/openbao-1"],
    );
  });

  it("does not stop a server that no rollback has paused (hazard I1)", async () =>
    void (await refuses(rollbackStop, moved("rollback-stop"), "I1")));

  it("moves no file while a pod exists or may start (hazard F22)", async () => {
    await refuses(rollbackSwap, moved("rollback-swap"), "F22");
    await refuses(rollbackSwap, moved("rollback-swap").noPod(), "F22");
  });

  it("starts no server before Raft's files are put aside (hazard F40)", async () =>
    void (await refuses(rollbackValues, noServer(moved("rollback-values")), "F40")));

  it("gives the owned values back as they were, and touches no other", async () => {
    const world = noServer(await moved("rollback-values").done("rollback-swap"));
    const live = {
      server: { ...RAFT_VALUES.server, standalone: { enabled: false, config: "x" }, logLevel: "info" },
    };
    annotated(world.release(live, true), valuesRecord({ spec: { values: OLD_VALUES } }));
    world.kube.onWrite(({ path, body }) => {
      // Flux applies what it is resumed for.
      if (path === RELEASE && JSON.stringify(body).includes('"suspend":false')) world.rendered("file");
    });
    world.kube.answer("get", RELEASE, () => {
      const release = world.kube.peek<HelmRelease>(RELEASE)!;
      return { ...release, status: { ...release.status, observedGeneration: 99 } };
    });
    await runBeats(rollbackValues, world.context);
    const after = world.kube.peek<HelmRelease>(RELEASE)!;
    assert.deepEqual(after.spec?.values, {
      server: { standalone: { enabled: true, config: "x" }, ha: { replicas: 5 }, logLevel: "info" },
    });
    assert.equal(after.spec?.suspend, true);
  });

  it("never initialises an empty store (hazard I2)", async () => {
    const world = new StepWorld("rollback-unseal").release(OLD_VALUES, true);
    Object.assign(world.servers["openbao-0"]!.seal, { initialized: false, sealed: true });
    await assert.rejects(runBeats(rollbackUnseal, world.context), /not initialised over your data.*\[I2\]/);
    assert.deepEqual(
      world.kube.writes.filter(({ path }) => !path.endsWith("-journal") && !path.endsWith("/configmaps")),
      [],
    );
  });

  it("holds when the cluster id is not the one of before (hazard I28)", async () => {
    const world = await new StepWorld("rollback-unseal").release(OLD_VALUES, true).done("inventory-cutover", {
      clusterId: "another",
    });
    world.servers["openbao-0"]!.seal["sealed"] = true;
    await assert.rejects(
      runBeats({ ...rollbackUnseal, act: () => Promise.resolve() }, world.context),
      /the source's was another \[I28\]/,
    );
  });

  it("resumes nothing while openbao-0 does not serve from file storage (hazard I1)", async () => {
    const world = await moved("rollback-resume").wrote("rollback-begin", "act");
    await refuses(rollbackResume, world, "I1");
  });

  it("leaves Flux paused when nobody can tell what Git says (hazard I1)", async () => {
    const world = await new StepWorld("rollback-resume")
      .release(OLD_VALUES, true)
      .wrote("rollback-begin", "act");
    const release = world.rendered("file").kube.peek<KubeObject & Record<string, unknown>>(RELEASE)!;
    const labels = { "kustomize.toolkit.fluxcd.io/name": "infra" };
    world.kube.put(RELEASE, { ...release, metadata: { ...release.metadata, labels } });
    const { observed } = await runBeats(rollbackResume, world.context);
    assert.equal(observed["suspended"], true);
    assert.match(String(observed["why"]), /openbao-migration:git/);
    assert.equal(
      world.kube.writes.some(({ path }) => path === RELEASE),
      false,
    );
  });

  it("does not wait for Flux to apply a release that the user had suspended before (I38)", async () => {
    const world = await new StepWorld("rollback-resume")
      .release(OLD_VALUES, true)
      .wrote("rollback-begin", "act", { before: { [RELEASE]: { suspend: true } } });
    const release = world.rendered("file").kube.peek<KubeObject & Record<string, unknown>>(RELEASE)!;
    // Flux looks at no suspended release, so it never says that it has seen the newest generation.
    world.kube.put(RELEASE, {
      ...release,
      metadata: { ...release.metadata, generation: 7, annotations: { [PAUSED_ANNOTATION]: "tester" } },
    });
    const { observed } = await runBeats(rollbackResume, world.context);
    assert.equal(observed["suspended"], true);
    assert.equal(isMarked(world.kube.peek<HelmRelease>(RELEASE)!), false);
  });
});
