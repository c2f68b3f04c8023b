import assert from "node:assert/strict";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { VALUES_ANNOTATION, valuesRecord } from "../../components/steps/originalValues";
import { Refused, runBeats, type Step } from "../../components/steps/runStep";
import { cleanupFileData } from "../../components/steps/scripts/cleanupFileData";
import { follower } from "../../components/steps/scripts/follower";
import { pause } from "../../components/steps/scripts/pause";
import { rollbackBegin } from "../../components/steps/scripts/rollbackBegin";
import { rollbackResume } from "../../components/steps/scripts/rollbackResume";
import { rollbackSetAside } from "../../components/steps/scripts/rollbackSetAside";
import { rollbackStop } from "../../components/steps/scripts/rollbackStop";
import { rollbackSwap } from "../../components/steps/scripts/rollbackSwap";
import { rollbackUnseal } from "../../components/steps/scripts/rollbackUnseal";
import { rollbackValues } from "../../components/steps/scripts/rollbackValues";
import type { HelmRelease } from "../../components/steps/world";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
const CLAIM = "/api/v1/namespaces/openbao/persistentvolumeclaims/data-openbao-1";
const OLD_VALUES = { server: { standalone: { enabled: true, config: "x" }, ha: { replicas: 5 } } };

async function refuses(step: Step, world: StepWorld, hazard: string): Promise<Refused> {
  let seen: unknown;
  await runBeats(step, world.context).catch((error: unknown) => (seen = error));
  assert.equal(seen instanceof Refused, true, String(seen));
  assert.equal((seen as Refused).hazard, hazard, String(seen));
  assert.deepEqual(world.kube.writes, []);
  return seen as Refused;
}

async function findsDone(step: Step, world: StepWorld): Promise<void> {
  assert.equal((await runBeats(step, world.context)).result, "already-done");
  assert.deepEqual(world.kube.writes, []);
}

/** On Raft and paused, with the record of the old values. */
function moved(step: string): StepWorld {
  const world = new StepWorld(step).onRaft().release(RAFT_VALUES, true).rendered("raft");
  return annotated(world, valuesRecord({ spec: { values: OLD_VALUES } }));
}

function annotated(world: StepWorld, more: Record<string, string>): StepWorld {
  const release = world.kube.peek<KubeObject & Record<string, unknown>>(RELEASE)!;
  const annotations = { ...release.metadata?.annotations, ...more };
  world.kube.put(RELEASE, { ...release, metadata: { ...release.metadata, annotations } });
  return world;
}

const noServer = (world: StepWorld): StepWorld => {
  world.statefulSet(0).noPod();
  world.servers["openbao-0"]!.up = false;
  return world;
};

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
});

describe("the Jobs of a rollback", () => {
  const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";
  interface Made {
    spec: { template: { spec: { volumes: { persistentVolumeClaim?: { claimName: string } }[] } } };
  }
  /** Each Job that is made ends at once with `code` and `message`. */
  const endsWith = (world: StepWorld, code: number, message: object): StepWorld => {
    world.kube.onWrite(({ verb, path, body }) => {
      if (verb !== "create" || path !== JOBS) return;
      const name = (body as KubeObject).metadata?.name ?? "";
      const status = { conditions: [{ type: "Complete", status: "True" }] };
      world.kube.put(`${JOBS}/${name}`, { ...(body as object), status });
      world.kube.put(`/api/v1/namespaces/openbao/pods/${name}-x`, {
        metadata: { labels: { app: name } },
        status: {
          containerStatuses: [
            { state: { terminated: { exitCode: code, message: JSON.stringify(message) } } },
          ],
        },
      });
    });
    return world;
  };
  const claims = (world: StepWorld) =>
    world.kube.writes
      .filter(({ verb, path }) => verb === "create" && path === JOBS)
      .map(({ body }) => (body as Made).spec.template.spec.volumes[0]?.persistentVolumeClaim?.claimName);
  const begun = (step: string) => moved(step).wrote("rollback-begin", "act");

  it("work on the volume of openbao-0 only after a carry that was left running is gone (hazard F22)", async () => {
    const world = endsWith(noServer(await begun("rollback-swap")), 0, { aside: "t", moved: 2 });
    world.kube.put(`${JOBS}/openbao-raft-carry`, { metadata: { name: "openbao-raft-carry" } });
    const { observed } = await runBeats(rollbackSwap, world.context);
    assert.equal(observed["moved"], 2);
    const writes = world.kube.writes.filter(({ path }) => path.startsWith(JOBS));
    assert.deepEqual(
      writes
        .map(({ verb, path }) => `${verb} ${path.slice(JOBS.length)}`)
        .filter((one) => !one.includes("rollback")),
      ["remove /openbao-raft-carry", "create "],
    );
    assert.deepEqual(claims(world), ["data-openbao-0"]);
  });

  it("refuse a file storage that is not what was carried over (hazard F68)", async () => {
    const world = endsWith(noServer(await begun("rollback-swap")), 27, { problem: "source-changed" });
    await assert.rejects(runBeats(rollbackSwap, world.context), /not what was carried over.*\[F68\]/);
    assert.equal(await world.context.journal.done("rollback-swap"), undefined);
  });

  it("put a follower's own volume aside, and name it in the journal (hazard I33)", async () => {
    const world = endsWith(new StepWorld("rollback-set-aside-1").release(OLD_VALUES), 0, { moved: 2 });
    world.kube.put(CLAIM, { metadata: { name: "data-openbao-1", uid: "u1" } });
    await runBeats(rollbackSetAside, world.context);
    assert.deepEqual(claims(world), ["data-openbao-1"]);
    assert.equal((await world.context.journal.done("rollback-set-aside-1"))?.observed["claimUid"], "u1");
    world.kube.writes.length = 0;
    await findsDone(rollbackSetAside, world);
  });
});

describe("the journal after a rollback (hazard F68)", () => {
  it("counts nothing that was done before it", async () => {
    const world = await new StepWorld("x").done("carry");
    await world.done("rollback-resume");
    assert.equal(await world.context.journal.done("carry"), undefined);
    await world.done("carry");
    assert.notEqual(await world.context.journal.done("carry"), undefined);
  });

  it("counts all while the rollback has not ended", async () => {
    const world = await new StepWorld("x").done("carry");
    await world.wrote("rollback-resume", "act");
    assert.notEqual(await world.context.journal.done("carry"), undefined);
  });
});

describe("a follower's old volume after a rollback (hazard I33)", () => {
  const withClaim = (uid: string): StepWorld => {
    const world = new StepWorld("follower-1").onRaft();
    world.kube.put(CLAIM, { metadata: { name: "data-openbao-1", uid } });
    return world;
  };
  const observed = (world: StepWorld) => follower.observe(world.context);

  it("is taken when its Raft state was put aside", async () => {
    const world = await withClaim("u1").done("rollback-set-aside-1", { claimUid: "u1" });
    assert.equal((await observed(world)).state, "todo");
  });

  it("is refused when it is another volume than the one that was put aside", async () => {
    const world = await withClaim("u2").done("rollback-set-aside-1", { claimUid: "u1" });
    await assert.rejects(observed(world), /I33/);
  });

  it("is refused when a follower has run on it since", async () => {
    const world = await withClaim("u1").done("rollback-set-aside-1", { claimUid: "u1" });
    await world.wrote("follower-1", "act");
    await assert.rejects(observed(world), /I33/);
  });

  it("is not touched while the server is on Raft", async () => {
    const world = moved("rollback-set-aside-1");
    world.kube.put(CLAIM, { metadata: { name: "data-openbao-1", uid: "u1" } });
    await refuses(rollbackSetAside, world, "I33");
  });
});

describe("pause", () => {
  it("records the old values before anything else can change them", async () => {
    const world = new StepWorld("pause").release(OLD_VALUES);
    await runBeats(pause, world.context);
    const { annotations } = world.kube.peek<KubeObject>(RELEASE)!.metadata!;
    assert.deepEqual(JSON.parse(annotations![VALUES_ANNOTATION]!), {
      "server.standalone.enabled": true,
      "server.ha.replicas": 5,
    });
  });

  it("takes no Raft values for the old ones", () =>
    assert.deepEqual(valuesRecord({ spec: { values: RAFT_VALUES } }), {}));
});

describe("cleanup is refused (hazard F38)", () => {
  const named = (world: StepWorld, fileData?: string): StepWorld => {
    if (fileData !== undefined) Object.assign(world.context.input, { cleanup: { fileData } });
    return world;
  };
  const landed = async (): Promise<StepWorld> => {
    const world = await named(moved("cleanup-file-data"), "data-openbao-0").done("resume");
    return world.done("compare-verify", { lost: 0, regressed: 0 });
  };

  it("without the volume's name", async () =>
    void (await refuses(cleanupFileData, moved("cleanup-file-data"), "F38")));
  it("with another volume's name", async () =>
    void (await refuses(cleanupFileData, named(moved("cleanup-file-data"), "data-openbao-1"), "F38")));
  it("before the move has landed", async () =>
    void (await refuses(cleanupFileData, named(moved("cleanup-file-data"), "data-openbao-0"), "F38")));
  it("without a comparison in which nothing is lost", async () => {
    const world = await named(moved("cleanup-file-data"), "data-openbao-0").done("resume");
    await refuses(cleanupFileData, await world.done("compare-verify", { lost: 1, regressed: 0 }), "F38");
  });
  it("while a node is missing (hazard F43)", async () =>
    void (await refuses(cleanupFileData, await landed(), "F43")));
});
