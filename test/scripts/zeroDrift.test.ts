import assert from "node:assert/strict";
import { managedBy } from "../support/fakeFields";
import { byFlux, CANARY, LandedWorld, OWNER, RELEASE, snapshot } from "../support/landedWorld";

const READY = { type: "Ready", status: "True", observedGeneration: 1 };
const AT = "2026-11-24T11:00:00Z";

describe("the proof that what was landed is what runs (I39)", () => {
  let landed: LandedWorld;
  beforeEach(async () => (landed = (await LandedWorld.make()).onRun()));

  it("holds for values, Helm's record, objects with the API server's defaults, and pods; twice is harmless", async () => {
    const { result, observed } = await landed.run();
    assert.equal(result, "done");
    assert.deepEqual(
      [observed["values"], observed["besides"], observed["revision"], observed["chart"], observed["pods"]],
      ["all", [], 8, "openbao 0.29.2", "same"],
    );
    assert.equal(observed["ranAgain"], true);
    assert.equal((observed["objects"] as string[]).length, 5);
    assert.deepEqual(observed["notCompared"], ["ServiceAccount openbao"]);
    const writes = landed.kube.writes.filter(({ path }) => !path.includes("journal"));
    assert.deepEqual(
      writes.map(({ path }) => path),
      [OWNER],
    );
    assert.equal((await landed.run()).result, "already-done");
  });

  it("waits for step resume: before it Flux is paused and proves nothing (I39)", async () => {
    landed.kube.drop("/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-journal");
    await landed.refused(/step resume is not done/);
  });

  describe("values of the HelmRelease (I1)", () => {
    it("names a value that somebody wrote after the un-pause, with the writer (I1, F53)", async () => {
      const changed = landed.valuesWith((server) => (server["logLevel"] = CANARY));
      const path = ["spec", "values", "server", "logLevel"];
      landed.release(changed, [byFlux(landed.values), managedBy("kubectl-edit", "Update", AT, [path])]);
      landed.helm({ values: changed });
      await landed.refused(
        /HelmRelease openbao spec\.values\.server\.logLevel \(not in Git, by kubectl-edit \(Update, 2026-11-24T11:00:00Z\)\)/,
        /take the other write back/i,
      );
    });

    it("names a changed value that this program owns, even where Flux is its only writer (I1)", async () => {
      const changed = landed.valuesWith((server) => (server["standalone"] = { enabled: true }));
      landed.release(changed).helm({ values: changed });
      await landed.refused(/spec\.values\.server\.standalone\.enabled \(other than in Git\)/);
    });

    it("takes what Flux alone wrote for a patch of an overlay, and says so", async () => {
      const patched = landed.valuesWith((server) => {
        server["logLevel"] = "debug";
        delete server["resources"];
      });
      landed.release(patched).helm({ values: patched });
      const { observed } = await landed.run();
      assert.deepEqual(observed["besides"], ["server.resources", "server.logLevel"]);
    });

    it("names a value that was removed by hand: another run of Flux puts it back, and it shows (I1)", async () => {
      const removed = landed.valuesWith((server) => delete server["resources"]);
      landed.release(removed).helm({ values: removed });
      landed.onRun(() => landed.release());
      await landed.refused(/spec\.values\.server\.resources \(another run of Flux over Git changed it\)/);
    });

    it("names a field of the HelmRelease besides the values that Flux puts back (I1)", async () => {
      landed.edit(RELEASE, ({ spec }) => Object.assign(spec, { timeout: "1h" }));
      landed.onRun(() => landed.edit(RELEASE, ({ spec }) => Reflect.deleteProperty(spec, "timeout")));
      await landed.refused(/HelmRelease openbao spec\.timeout \(another run/);
    });

    it("compares this program's values alone where nothing applies Git, and says so", async () => {
      const changed = landed.valuesWith((server) => (server["logLevel"] = "debug"));
      landed.release(changed, []).helm({ values: changed });
      landed.edit(OWNER, ({ spec }) => Object.assign(spec, { suspend: true }));
      const { observed } = await landed.run();
      assert.deepEqual([observed["values"], observed["ranAgain"]], ["owned", false]);
      assert.deepEqual(
        landed.kube.writes.filter(({ path }) => path === OWNER),
        [],
      );
    });

    it("refuses a Git checkout that has not the commit that Flux applied, by its place (F69)", async () => {
      landed.edit(OWNER, (owner) =>
        Object.assign(owner["status"] as object, { lastAppliedRevision: `main@sha1:${"1".repeat(40)}` }),
      );
      await assert.rejects(landed.run(), /platform: found no commit 111111111111.*\[F69\]/);
    });

    for (const [what, conditions] of [
      ["fails", [{ type: "Ready", status: "False", reason: "BuildFailed", observedGeneration: 1 }]],
      ["does not end", [READY, { type: "Reconciling", status: "True", reason: "Progressing" }]],
    ] as const) {
      it(`proves nothing by a run of Flux over Git that ${what} (I39)`, async () => {
        landed.onRun(() =>
          landed.edit(OWNER, ({ status }) => Object.assign(status as object, { conditions })),
        );
        await assert.rejects(landed.run(), /waited 1 s for Kustomization infra to apply Git once more/);
      });
    }

    it("proves nothing by a run of Flux that it asked for and that never came (I39)", async () => {
      landed = await LandedWorld.make();
      await assert.rejects(landed.run(), /waited 1 s for Kustomization infra to apply Git once more/);
    });

    it("asks Flux for nothing once the Lease is lost (F10)", async () => {
      landed.world.context.fence.assertHeld = () => Promise.reject(new Error("the Lease is lost"));
      await assert.rejects(landed.run(), /the Lease is lost/);
      const { context } = landed.world;
      let calls = 0;
      context.fence.assertHeld = () =>
        calls++ === 0 ? Promise.resolve() : Promise.reject(new Error("the Lease is lost"));
      await assert.rejects(landed.run(), /the Lease is lost/);
      assert.deepEqual(
        landed.kube.writes.filter(({ path }) => path === OWNER),
        [],
      );
    });

    it("waits for a run of the Kustomization that does not end, no longer than its bound (I39)", async () => {
      landed.edit(OWNER, ({ status }) => {
        (status as unknown as { conditions: object[] }).conditions.push({
          type: "Reconciling",
          status: "True",
          reason: "Progressing",
        });
      });
      await assert.rejects(landed.run(), /waited 1 s for Kustomization infra to end its run/);
    });
  });

  describe("Helm's own record (I39)", () => {
    it("names values that Helm has not applied, and those that nobody asked for", async () => {
      landed.helm({
        values: landed.valuesWith((server) => {
          server["extraEnvironmentVars"] = { TOKEN: CANARY };
          delete server["resources"];
        }),
      });
      await landed.refused(
        /Helm release openbao config\.server\.resources \(asked for, not applied\)/,
        /config\.server\.extraEnvironmentVars \(not asked for\)/,
        /flux reconcile helmrelease openbao -n openbao --force/,
      );
    });

    it("lets Helm hold more where the HelmRelease names other sources of values", async () => {
      landed.edit(RELEASE, ({ spec }) =>
        Object.assign(spec, { valuesFrom: [{ kind: "Secret", name: "more" }] }),
      );
      landed.helm({
        values: landed.valuesWith((server) => (server["extraEnvironmentVars"] = { TOKEN: CANARY })),
      });
      assert.equal((await landed.run()).result, "done");
    });

    it("names a chart that is not the previewed one (I39)", async () => {
      landed.helm({ chartVersion: "0.30.0" });
      landed.edit(RELEASE, ({ status }) =>
        Object.assign(status as object, { history: [snapshot(8, "0.30.0")] }),
      );
      await landed.refused(
        /chart \(openbao 0\.30\.0, before the un-pause openbao 0\.29\.2\)/,
        /chart \(openbao 0\.30\.0, in the preview openbao 0\.29\.2\)/,
      );
    });

    it("holds a range of chart versions against the chart of before alone (I39)", async () => {
      Object.assign(landed.world.context.input, { chart: "openbao 0.x" });
      assert.equal((await landed.run()).result, "done");
      landed = (await LandedWorld.make()).onRun().helm({ chartVersion: "0.30.0" });
      Object.assign(landed.world.context.input, { chart: "openbao 0.x" });
      await landed.refused(/before the un-pause openbao 0\.29\.2/);
    });

    it("names a history of Flux that tells another revision, chart or status than Helm (I39)", async () => {
      landed.edit(RELEASE, ({ status }) =>
        Object.assign(status as object, {
          history: [{ ...snapshot(7, "0.29.1"), status: "failed" }],
        }),
      );
      await landed.refused(
        /status\.history\[0\]\.version \(7, Helm's newest is 8\)/,
        /status\.history\[0\]\.status \(failed\)/,
        /status\.history\[0\]\.chartVersion \(openbao 0\.29\.1, Helm applied openbao 0\.29\.2\)/,
      );
      landed.edit(RELEASE, ({ status }) => Reflect.deleteProperty(status as object, "history"));
      await landed.refused(/status\.history\[0\] \(absent\)/);
    });

    it("names a newest revision that is not deployed, and a release that Helm does not know (I39)", async () => {
      landed.helm({ revision: 9, status: "failed" });
      await landed.refused(/revision 9 \(status failed\)/);
      for (const n of [8, 9])
        landed.kube.drop(`/api/v1/namespaces/openbao/secrets/sh.helm.release.v1.openbao.v${n}`);
      await landed.refused(/Secrets of type helm\.sh\/release\.v1 \(none\)/);
    });

    it("does not count what Helm holds of a HelmRelease that its user keeps suspended", async () => {
      landed.edit(RELEASE, ({ spec }) => Object.assign(spec, { suspend: true }));
      landed.helm({ values: {} });
      assert.equal((await landed.run()).result, "done");
    });
  });
});
