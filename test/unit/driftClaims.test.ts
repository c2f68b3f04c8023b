import assert from "node:assert/strict";
import { driftClaims, readDrift, type DriftView } from "../../rehearsal/driftClaims";
import { CANARY, LandedWorld, RELEASE } from "../support/landedWorld";

const HELD = [true, true, true, true, true];
const JOURNAL = "/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-journal";

describe("the rehearsal's claims on zero drift, seen by other ways than the program's (I39)", () => {
  let view: DriftView;
  let world: LandedWorld;

  before(async () => {
    world = (await LandedWorld.make()).onRun();
    const { observed } = await world.run();
    await world.world.done("zero-drift", observed);
    const { checkout } = world.world.context.input.git!;
    const files = { folder: checkout, ref: "HEAD", delivery: "flux", applied: true } as const;
    view = await readDrift(world.kube, files, () => Promise.resolve([]));
  });

  const held = (change: Partial<DriftView>) => driftClaims({ ...view, ...change }).map(({ holds }) => holds);
  const failing = (change: Partial<DriftView>) => held(change).findIndex((holds) => !holds);

  it("hold for what landed: Git's values, Helm's record, chart, objects, pods, and the program's own proof", () => {
    assert.deepEqual(held({}), HELD, JSON.stringify(driftClaims(view)));
  });

  it("fail for a value that is otherwise in Git, in the HelmRelease or in Helm's record, and show no value (I1)", () => {
    const other = { ...view.landed, more: CANARY };
    for (const change of [
      { landed: other },
      { asked: other },
      { stored: { ...view.stored, config: other } },
    ]) {
      assert.equal(failing(change), 0);
      const { seen } = driftClaims({ ...view, ...change })[0]!;
      assert.match(seen, /more/);
      assert.ok(!seen.includes(CANARY), seen);
    }
  });

  it("compare only what the move changed where nobody applies the file, and Helm's record whole", () => {
    assert.equal(failing({ applied: false, landed: { ...view.landed, more: 1 } }), -1);
    assert.equal(failing({ applied: false, landed: { server: { standalone: { enabled: true } } } }), 0);
    assert.equal(failing({ applied: false, stored: { ...view.stored, config: {} } }), 0);
  });

  it("fail for another chart or revision than before and than Flux says (I39)", () => {
    const metadata = { name: "openbao", version: "0.30.0" };
    assert.equal(failing({ stored: { ...view.stored, chart: { metadata } } }), 1);
    assert.equal(failing({ history: { ...view.history, version: 7 } }), 1);
  });

  it("fail for an object that a dry run would change, and for none at all", () => {
    assert.equal(failing({ drifted: ["StatefulSet/openbao/openbao changed"] }), 2);
    assert.equal(failing({ objects: 0 }), 2);
  });

  it("fail for a pod that was restarted, is new or is gone (I39)", () => {
    assert.equal(failing({ pods: { ...view.pods, "openbao-1": "uid-1/1" } }), 3);
    assert.equal(failing({ pods: { ...view.pods, "openbao-3": "uid-3/0" } }), 3);
    const { "openbao-2": _gone, ...others } = view.pods;
    assert.equal(failing({ pods: others }), 3);
  });

  it("fail without the program's own proof, and for one of another revision or of restarted pods (I39)", () => {
    const without = view.journal.filter(({ step }) => step !== "zero-drift");
    assert.equal(failing({ journal: without }), 4);
    for (const observed of [
      { revision: 7, pods: "same" },
      { revision: 8, pods: "restarted, told once" },
    ]) {
      const proof = { ...view.journal.at(-1)!, step: "zero-drift", beat: "done" as const, observed };
      assert.equal(failing({ journal: [...without, proof] }), 4);
    }
  });

  it("read the newest revision alone, and say when Helm knows no release", async () => {
    const helm = await LandedWorld.make(false);
    helm.helm({ revision: 9, manifest: "" });
    const { checkout } = helm.world.context.input.git!;
    const files = { folder: checkout, ref: "HEAD", delivery: "flux", applied: true } as const;
    helm.release();
    const seen = await readDrift(helm.kube, files, () => Promise.resolve([]));
    assert.deepEqual([seen.stored.version, seen.objects], [9, 0]);
    for (const n of [8, 9])
      helm.kube.drop(`/api/v1/namespaces/openbao/secrets/sh.helm.release.v1.openbao.v${n}`);
    await assert.rejects(readDrift(helm.kube, files), /Helm knows no release/);
    assert.ok(helm.kube.peek(RELEASE) !== undefined && helm.kube.peek(JOURNAL) !== undefined);
  });
});
