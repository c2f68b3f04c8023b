import assert from "node:assert/strict";
import { parse } from "yaml";
import { HELD_SECRET, heldPath, layerPath, REVISION_ANNOTATION } from "../../components/delivery/heldRelease";
import { helmRecord, helmRevisions } from "../../components/delivery/helmRecord";
import { raftLayer } from "../../components/raftLayer";
import { VALUES_ANNOTATION } from "../../components/steps/originalValues";
import { PAUSED_ANNOTATION, wantedReplicas, wantsRaft } from "../../components/steps/world";
import { applyReplicas } from "../../components/steps/scripts/applyReplicas";
import { flip } from "../../components/steps/scripts/flip";
import { runHelm } from "../../components/delivery/runHelm";
import { pause } from "../../components/steps/scripts/pause";
import { resume } from "../../components/steps/scripts/resume";
import { rollbackValues } from "../../components/steps/scripts/rollbackValues";
import { runBeats } from "../../components/steps/runStep";
import { HELM_RIGHTS } from "../../components/gate/helmRights";
import { rightName, RIGHTS } from "../../components/gate/readAccess";
import { reaches } from "../../config";
import { recordingRights } from "../support/usedRights";
import { FakeHelm } from "../support/fakeHelm";
import { releaseSecret, revisionPath } from "../support/helmRelease";
import { HelmWorld, NAME, SECRET_VALUE, STANDALONE } from "../support/helmWorld";

describe("delivery by Helm itself", () => {
  let helm: FakeHelm;
  beforeEach(() => (helm = new FakeHelm()));
  afterEach(() => helm.remove());

  it("is paused by a Secret that holds the newest revision and the old values, and nothing of Helm's is written", async () => {
    const world = new HelmWorld("pause");
    await world.run(pause);
    const annotations = world.kube.peek<{ metadata: { annotations: Record<string, string> } }>(
      heldPath("openbao"),
    )!.metadata.annotations;
    assert.equal(annotations[PAUSED_ANNOTATION], "tester");
    assert.equal(annotations[REVISION_ANNOTATION], "4");
    assert.deepEqual(JSON.parse(annotations[VALUES_ANNOTATION]!), { "server.standalone.enabled": true });
    assert.deepEqual(helm.calls, []);
    assert.equal((await world.run(pause)).result, "already-done");
  });

  it("flips with the recorded chart and the user's values plus the layer, the values on standard input alone", async () => {
    const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
    assert.equal((await world.run(flip)).result, "done");
    const [call, ...more] = helm.calls;
    assert.deepEqual(more, []);
    assert.deepEqual(call!.args.slice(0, 2), ["upgrade", "openbao"]);
    assert.ok(call!.args.includes("--reset-values") && !call!.args.includes("--wait"));
    assert.ok(call!.args.includes("openbao-raft-migration=v5"), call!.args.join(" "));
    assert.deepEqual(parse(call!.stdin), {
      server: {
        extraEnvironmentVars: { TOKEN: SECRET_VALUE },
        standalone: { enabled: false, config: 'storage "file" {}' },
        ha: {
          enabled: true,
          replicas: 1,
          raft: { enabled: true, setNodeId: true, config: 'storage "raft" {}' },
        },
      },
    });
    assert.ok(!call!.args.join(" ").includes(SECRET_VALUE));
    assert.deepEqual(Object.keys(call!.chart).sort(), [
      "Chart.yaml",
      "README.md",
      "templates/configmap.yaml",
      "values.yaml",
    ]);
    assert.equal(parse(call!.chart["Chart.yaml"]!).version, "0.29.2");
    assert.equal(call!.chart["templates/configmap.yaml"], "kind: ConfigMap\n");
  });

  it("is not sent elsewhere by Helm's own variables (I3)", async () => {
    process.env["HELM_KUBECONTEXT"] = "another-cluster";
    try {
      const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
      await world.run(flip);
      assert.deepEqual(helm.calls[0]!.env, { HELM_DRIVER: "secret" });
    } finally {
      delete process.env["HELM_KUBECONTEXT"];
    }
  });

  it("refuses where Helm refuses, without Helm's words, which may quote a rendered value (F54)", async () => {
    const stderr = `Error: UPGRADE FAILED: cannot unmarshal "${SECRET_VALUE}" into Go struct field`;
    helm.answers({ code: 1, stderr });
    const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
    await assert.rejects(world.run(flip), (error: Error) => {
      assert.match(error.message, /helm upgrade ended with 1;.*\[F54\]/);
      return !error.message.includes(SECRET_VALUE) && !error.message.includes("UPGRADE FAILED");
    });
  });

  it("ends a Helm that does not stop, and waits for no plugin that holds its pipes (F54)", async () => {
    // As a credential plugin of the kubeconfig does, the sleep inherits standard error.
    helm.runs("trap '' TERM; sleep 20 & sleep 20");
    const started = Date.now();
    await assert.rejects(runHelm(["version"], undefined, 200, 200), /helm version ended with SIGKILL/);
    assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`);
  });

  it("refuses a chart with subcharts, which Helm does not record (F54)", async () => {
    const world = new HelmWorld("flip", [{ revision: 1, values: STANDALONE, dependencies: ["common"] }]);
    (await world.carried()).applying(helm, "raft");
    await assert.rejects(world.run(flip), /subcharts \(common\).*\[F54\]/);
    assert.deepEqual(helm.calls, []);
  });

  it("marks a revision failed that a killed run of this program left pending, and upgrades again (F54)", async () => {
    const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
    world.has({ revision: 5, status: "pending-upgrade", ours: true });
    assert.equal((await world.run(flip)).result, "done");
    const [fourth, fifth] = await helmRevisions(world.kube, NAME);
    assert.deepEqual([fourth!.status, fifth!.status], ["deployed", "failed"]);
    assert.deepEqual(helmRecord(fourth!).config, STANDALONE);
    assert.ok(helm.calls[0]!.args.includes("openbao-raft-migration=v6"));
  });

  it("lets a pending revision of somebody else be, and refuses (F54)", async () => {
    const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
    // It was there when the release was paused, as far as the revision tells: only its state is wrong.
    await world.kube.mergePatch(heldPath("openbao"), {
      metadata: { annotations: { [REVISION_ANNOTATION]: "5" } },
    });
    world.has({ revision: 5, status: "pending-upgrade" });
    await assert.rejects(world.run(flip), /revision 5 .* is pending-upgrade.*\[F54\]/);
    assert.deepEqual(helm.calls, []);
    assert.equal((await helmRevisions(world.kube, NAME)).at(-1)!.status, "pending-upgrade");
  });

  for (const [what, labels] of [
    ["by hand", {}],
    // Helm hands the labels of a revision on to the next one.
    ["by hand over one of ours", { ours: true }],
  ] as const) {
    it(`holds when somebody upgraded the release in mid-cutover ${what} (F53)`, async () => {
      const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
      const foreign = releaseSecret({ revision: 6, values: STANDALONE, ...labels });
      if ("ours" in labels) foreign.metadata!.labels!["openbao-raft-migration"] = "v5";
      world.kube.put(revisionPath(6), foreign);
      await assert.rejects(world.run(flip), /somebody else upgraded.*revision 6.*\[F53\]/);
      assert.deepEqual(helm.calls, []);
      // A person has looked, and lets it stand.
      await world.kube.mergePatch(heldPath("openbao"), {
        metadata: { annotations: { [REVISION_ANNOTATION]: "6" } },
      });
      assert.equal((await world.run(flip)).result, "done");
    });
  }

  it("holds when the Secret of the pause is gone in mid-cutover (F53)", async () => {
    const world = (await new HelmWorld("flip").carried()).applying(helm, "raft");
    world.kube.drop(heldPath("openbao"));
    await assert.rejects(world.run(flip), /\[(F53|I4)\]/);
    assert.deepEqual(helm.calls, []);
  });

  it("asks for one replica at the flip and for all by the second layer, which starts no other", async () => {
    const world = await new HelmWorld("apply-replicas").carried();
    assert.equal(wantedReplicas(await world.release()), 1);
    world.layer("replicas", { server: { ha: { replicas: 3 } } });
    assert.equal(wantedReplicas(await world.release()), 3);
    world.world.statefulSet(2).rendered("raft");
    await assert.rejects(world.run(applyReplicas), /has 2 replicas, expected 3 \[I35\]/);
    assert.deepEqual(helm.calls, []);
  });

  it("layers count while the release is held, and not after it: a later upgrade of the user's is theirs", async () => {
    const world = await new HelmWorld("resume").carried();
    assert.equal(wantsRaft(await world.release()), true);
    world.kube.drop(heldPath("openbao"));
    assert.equal(wantsRaft(await world.release()), false);
  });

  it("gives the release back by removing the Secret, and waits until it is deployed", async () => {
    const world = await new HelmWorld("resume").carried();
    world.world.statefulSet(3);
    await world.world.done("land-git");
    await world.run(resume);
    assert.equal(world.kube.peek(`/api/v1/namespaces/openbao/secrets/${HELD_SECRET}`), undefined);
    assert.deepEqual(helm.calls, []);
  });

  it("goes back to the values of before, whatever the layers said, and takes the layers away (I1)", async () => {
    const world = (await new HelmWorld("rollback-values").carried()).applying(helm, "file");
    world.layer("replicas", { server: { ha: { replicas: 3 } } });
    const raft = { server: { ...STANDALONE.server, ...raftLayer('storage "raft" {}', "helm").server } };
    world.has({ revision: 5, values: raft, ours: true });
    world.kube.drop(revisionPath(4));
    world.world.statefulSet(1);
    await world.world.done("rollback-swap");
    assert.equal((await world.run(rollbackValues)).result, "done");
    const asked = parse(helm.calls[0]!.stdin) as { server: Record<string, unknown> };
    assert.deepEqual(asked.server["standalone"], { enabled: true });
    assert.equal(asked.server["ha"], undefined);
    for (const layer of ["raft", "replicas"] as const)
      assert.equal(world.kube.peek(layerPath("openbao", layer)), undefined);
  });

  for (const [step, stage, make] of [
    [pause, "cutover", (world: HelmWorld) => Promise.resolve(world)],
    [flip, "cutover", (world: HelmWorld) => world.carried()],
    [applyReplicas, "replicas", (world: HelmWorld) => world.carried()],
    [resume, "land", (world: HelmWorld) => world.carried()],
    [rollbackValues, "land", (world: HelmWorld) => world.carried()],
  ] as const) {
    it(`asks in the gate for the rights that step ${step.id} uses (F59)`, async () => {
      const world = (await make(new HelmWorld(step.id))).applying(helm, "raft");
      if (step !== flip) world.world.statefulSet(step === applyReplicas ? 3 : 1);
      world.has({ revision: 5, status: "pending-upgrade", ours: true });
      if (step === applyReplicas) world.layer("replicas", { server: { ha: { replicas: 3 } } });
      for (const done of ["land-git", "rollback-swap"]) await world.world.done(done);
      const used = new Set<string>();
      const kube = recordingRights(world.kube, used);
      await runBeats(step, { ...world.context(step.id), kube }).catch(() => undefined);
      const granted = [...RIGHTS.filter(({ group }) => !group.includes("fluxcd")), ...HELM_RIGHTS]
        .filter((right) => reaches(stage, right.stage))
        .map(rightName);
      assert.deepEqual([...used].filter((right) => !granted.includes(right)).sort(), []);
      assert.ok(used.has("list secrets"));
    });
  }
});
