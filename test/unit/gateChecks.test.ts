import assert from "node:assert/strict";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks, type GateReport } from "../../components/gate/report";
import type { ClusterSnapshot } from "../../components/gate/snapshot";
import { plantedHazards, type PlantedHazard } from "../support/plantedHazards";
import { configOf, OWNER, raftWorld, RELEASE, standaloneWorld, type World } from "../support/snapshotBuilder";

/** Every check is in reach, those of the checkout apart (gateCheckout, gateKeyCopies and gateGitKey plant them on disk). */
const config = configOf({ stage: "verify" });
const onDisk = [
  "git-checkout",
  "git-clean",
  "key-copies",
  "key-copies-generation",
  "git-key-generation",
  "git-key-sink",
];
/** It warns of what every source of this kind has. */
const always = ["weak-seal"];

async function judge(world: World) {
  return reportOn(await world.snapshot(config));
}

function reportOn(snapshot: ClusterSnapshot, among = checks, settings = config): GateReport {
  return judged({ ok: true, config: settings }, settings, snapshot, among).report;
}

describe("gate checks", () => {
  it("let a healthy source pass with nothing to say", async () => {
    const report = await judge(standaloneWorld());
    assert.deepEqual(
      report.rows.filter((row) => !["PASS", "NONE"].includes(row.outcome)).map((row) => row.check.id),
      [],
    );
    assert.equal(blocks(report), false);
  });

  it("let a finished move pass", async () => {
    const report = await judge(raftWorld());
    assert.equal(blocks(report), false);
    assert.equal(report.observed, "replicas");
  });

  it("let one budget of the user's own stand where the values switch the chart's off (I37)", async () => {
    const world = standaloneWorld();
    world.patch(RELEASE, { spec: { values: { server: { ha: { disruptionBudget: { enabled: false } } } } } });
    world.kube.put("/apis/policy/v1/namespaces/openbao/poddisruptionbudgets/own", {
      spec: { maxUnavailable: 1, selector: { matchLabels: {} } },
    });
    const row = (await judge(world)).rows.find(({ check }) => check.id === "one-disruption-budget");
    assert.deepEqual([row?.outcome, row?.judgement.found], ["PASS", "own"]);
  });

  it("say which Kustomization is suspended, and which are only told to leave it alone (I38)", async () => {
    const world = standaloneWorld();
    const labels = {
      "kustomize.toolkit.fluxcd.io/name": "flux-system",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    const top = OWNER.replace(/infra$/, "flux-system");
    world.kube.put(OWNER, { metadata: { labels } }).put(top, { spec: { suspend: false } });
    const row = (await judge(world)).rows.find(({ check }) => check.id === "owners-known");
    assert.equal(
      row?.judgement.found,
      "will be suspended: flux-system/infra; told to leave it alone: flux-system/flux-system",
    );
  });

  it("have unique ids in kebab-case, a hazard, a remedy and a source each", () => {
    assert.equal(new Set(checks.map((check) => check.id)).size, checks.length);
    for (const check of checks) {
      assert.match(check.id, /^[a-z]+(-[a-z0-9]+)*$/);
      assert.ok(check.hazard.ids.length > 0 && check.hazard.loss !== "", check.id);
      assert.ok(check.remedy !== "" && check.source !== "" && check.observe !== "", check.id);
    }
  });

  it("have a planted hazard each that goes through without it", () => {
    const planted = new Set([
      ...plantedHazards.filter((one) => one.beside !== "all").map((one) => one.check),
      ...onDisk,
    ]);
    assert.deepEqual(
      // Those of a rollback are planted in gateRollback.test.ts.
      checks
        .filter((check) => check.stage !== "rollback")
        .map((check) => check.id)
        .filter((id) => !planted.has(id)),
      [],
    );
  });

  for (const hazard of plantedHazards) {
    const settings = configOf({
      stage: hazard.check === "active-service" ? "land" : "verify",
      ...land(hazard.check),
      ...hazard.config,
    });
    let taken: Promise<ClusterSnapshot> | undefined;
    // Nothing of a snapshot changes: each verdict on the hazard is one on the same look.
    const look = () => (taken ??= planted(hazard).snapshot(settings));

    it(`${hazard.check} finds ${hazard.title}`, async () => {
      const report = reportOn(await look(), checks, settings);
      const row = report.rows.find((one) => one.check.id === hazard.check)!;
      assert.match(row.judgement.found, hazard.found);
      const complaint = row.check.severity === "block" ? ["FAIL", "UNKNOWN"] : ["WARN"];
      assert.ok(complaint.includes(row.outcome), `${row.outcome}: ${row.judgement.found}`);
      if (row.check.severity === "block") assert.equal(blocks(report), true);
    });

    if (hazard.beside === "all") continue;
    const eyes = [hazard.check, ...(hazard.beside ?? [])].sort();
    it(`without ${eyes.join(", ")}, ${hazard.title} goes through`, async () => {
      const apart = [...always, ...onDisk].filter((id) => !eyes.includes(id));
      const others = checks.filter((check) => !apart.includes(check.id));
      const seen = reportOn(await look(), others, settings);
      // Each of them sees it: none is left out for nothing.
      assert.deepEqual(
        complaints(seen)
          .map((line) => line.split(":")[0])
          .sort(),
        eyes,
      );
      const without = others.filter((check) => !eyes.includes(check.id));
      const report = reportOn(await look(), without, settings);
      assert.deepEqual(complaints(report), []);
      assert.equal(blocks(report), false);
    });
  }
});

function planted(hazard: PlantedHazard): World {
  const world = (hazard.world ?? standaloneWorld)();
  hazard.plant(world);
  return world;
}

function complaints(report: GateReport): string[] {
  return report.rows
    .filter((row) => ["FAIL", "UNKNOWN", "WARN"].includes(row.outcome))
    .map((row) => `${row.check.id}: ${row.judgement.found}`);
}

function land(check: string): object {
  if (check === "alert-rules") return { alerts: { enabled: true } };
  return check === "active-service" ? { git: { checkout: ".", helmRelease: "package.json" } } : {};
}
