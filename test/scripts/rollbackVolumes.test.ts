import assert from "node:assert/strict";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { VALUES_ANNOTATION, valuesRecord } from "../../components/steps/originalValues";
import { runBeats } from "../../components/steps/runStep";
import { cleanupFileData } from "../../components/steps/scripts/cleanupFileData";
import { follower } from "../../components/steps/scripts/follower";
import { pause } from "../../components/steps/scripts/pause";
import { rollbackSetAside } from "../../components/steps/scripts/rollbackSetAside";
import { rollbackSwap } from "../../components/steps/scripts/rollbackSwap";
import { JOBS, jobsEnd } from "../support/jobsEnd";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";
import { CLAIM, findsDone, moved, noServer, OLD_VALUES, refuses, RELEASE } from "../support/rollbackWorld";

describe("the Jobs of a rollback", () => {
  interface Made {
    spec: { template: { spec: { volumes: { persistentVolumeClaim?: { claimName: string } }[] } } };
  }
  const claims = (world: StepWorld) =>
    world.kube.writes
      .filter(({ verb, path }) => verb === "create" && path === JOBS)
      .map(({ body }) => (body as Made).spec.template.spec.volumes[0]?.persistentVolumeClaim?.claimName);
  const begun = (step: string) => moved(step).wrote("rollback-begin", "act");

  it("work on the volume of openbao-0 only after a carry that was left running is gone (hazard F22)", async () => {
    const world = jobsEnd(noServer(await begun("rollback-swap")), 0, { aside: "t", moved: 2 });
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

  it("refuse where the file storage and Raft were both written to (hazard F68)", async () => {
    const world = jobsEnd(noServer(await begun("rollback-swap")), 27, { problem: "both-have-been-live" });
    await assert.rejects(runBeats(rollbackSwap, world.context), /each holds what the other lacks.*\[F68\]/);
    assert.equal(await world.context.journal.done("rollback-swap"), undefined);
  });

  it("put a follower's own volume aside, and name it in the journal (hazard I33)", async () => {
    const world = jobsEnd(new StepWorld("rollback-set-aside-1").release(OLD_VALUES), 0, { moved: 2 });
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
