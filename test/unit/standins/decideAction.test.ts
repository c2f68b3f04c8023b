import assert from "node:assert/strict";
import {
  decideAction,
  releaseState,
  rollbackTargetOf,
  truncateHistory,
} from "../../../rehearsal/standins/helmController/decideAction";
import type {
  HelmReleaseSpec,
  HelmReleaseStatus,
  Remediation,
  Snapshot,
} from "../../../rehearsal/standins/helmController/helmRelease";

const snapshot = (version: number, status: string, more: Partial<Snapshot> = {}): Snapshot => ({
  name: "openbao",
  namespace: "openbao",
  version,
  status,
  digest: `sha256:${version}`,
  configDigest: "sha256:config",
  chartName: "openbao",
  chartVersion: "0.29.2",
  firstDeployed: "2026-01-01T00:00:00Z",
  lastDeployed: "2026-01-01T00:00:00Z",
  ...more,
});
const desired = { chartName: "openbao", chartVersion: "0.29.2", configDigest: "sha256:config" };

describe("helm-controller stand-in: state of a release", () => {
  const deployed = snapshot(2, "deployed");

  it("is in sync only with the recorded revision, the chart version and the values wanted", () => {
    assert.equal(releaseState(deployed, deployed, desired), "inSync");
    assert.equal(releaseState(deployed, deployed, { ...desired, configDigest: "sha256:new" }), "outOfSync");
    assert.equal(releaseState(deployed, deployed, { ...desired, chartVersion: "0.30.0" }), "outOfSync");
  });

  it("is unmanaged when somebody else made or changed the newest revision", () => {
    assert.equal(releaseState(deployed, undefined, desired), "unmanaged");
    assert.equal(releaseState(snapshot(3, "deployed"), deployed, desired), "unmanaged");
    assert.equal(releaseState({ ...deployed, digest: "sha256:other" }, deployed, desired), "unmanaged");
  });

  it("is absent, locked or failed by what storage says", () => {
    assert.equal(releaseState(undefined, deployed, desired), "absent");
    assert.equal(releaseState(snapshot(2, "uninstalled"), deployed, desired), "absent");
    assert.equal(releaseState(snapshot(3, "pending-upgrade"), deployed, desired), "locked");
    assert.equal(releaseState(snapshot(2, "failed"), snapshot(2, "failed"), desired), "failed");
  });
});

describe("helm-controller stand-in: next action", () => {
  const target = snapshot(1, "superseded");
  const spec = (remediation?: Remediation): HelmReleaseSpec => ({
    interval: "1m",
    upgrade: { remediation },
    install: { remediation },
  });
  const failed = (upgradeFailures: number): HelmReleaseStatus => ({
    lastAttemptedReleaseAction: "upgrade",
    upgradeFailures,
  });
  const next = (remediation: Remediation | undefined, status: HelmReleaseStatus, forced = false) => {
    const decision = decideAction("failed", spec(remediation), status, forced, target);
    return decision.kind === "act" ? decision.action : decision.kind;
  };

  it("remediates no failed upgrade without retries", () => {
    assert.equal(next(undefined, failed(1)), "stalled");
    assert.equal(next({ retries: 0 }, failed(1)), "stalled");
  });

  it("rolls back by default once retries are given, the last failure included", () => {
    assert.equal(next({ retries: 1 }, failed(1)), "rollback");
    assert.equal(next({ retries: 1 }, failed(2)), "rollback");
    assert.equal(next({ retries: 1, remediateLastFailure: false }, failed(2)), "stalled");
    assert.equal(next({ retries: 0, remediateLastFailure: true }, failed(1)), "rollback");
    assert.equal(next({ retries: -1 }, failed(99)), "rollback");
  });

  it("uninstalls when that is the strategy, and after a failed install", () => {
    assert.equal(next({ retries: 1, strategy: "uninstall" }, failed(1)), "uninstall");
    assert.equal(
      next({ retries: 1 }, { lastAttemptedReleaseAction: "install", installFailures: 1 }),
      "uninstall",
    );
    assert.equal(
      next({ retries: 1 }, { lastAttemptedReleaseAction: "install", installFailures: 2 }),
      "stalled",
    );
  });

  it("upgrades a failed release when something changed since, or when forced", () => {
    assert.equal(next({ retries: 1 }, failed(0)), "upgrade");
    assert.equal(next({ retries: 1 }, failed(2), true), "upgrade");
  });

  it("stalls when the revision to roll back to is gone", () => {
    const decision = decideAction("failed", spec({ retries: 1 }), failed(1), false, undefined);
    assert.ok(decision.kind === "stalled" && decision.reason === "MissingRollbackTarget");
  });

  it("does not upgrade a rolled back release again when out of retries", () => {
    const decide = (forced: boolean) =>
      decideAction("outOfSync", spec({ retries: 1 }), failed(2), forced, target);
    assert.deepEqual(decide(false), {
      kind: "stalled",
      reason: "RetriesExceeded",
      message: "Failed to upgrade after 2 attempt(s)",
    });
    assert.deepEqual(decide(true), { kind: "act", action: "upgrade" });
  });

  it("leaves an in-sync release alone, and a drifted one unless told to correct it", () => {
    assert.equal(decideAction("inSync", spec(), {}, false, target).kind, "done");
    const mode = (drift: "warn" | "enabled") =>
      decideAction("drifted", { ...spec(), driftDetection: { mode: drift } }, {}, false, target);
    assert.equal(mode("warn").kind, "done");
    assert.deepEqual(mode("enabled"), { kind: "act", action: "correctDrift" });
  });
});

describe("helm-controller stand-in: history", () => {
  const history = [
    snapshot(5, "failed"),
    snapshot(4, "failed"),
    snapshot(3, "superseded"),
    snapshot(2, "superseded"),
  ];

  it("rolls back to the newest good revision before the latest and keeps nothing older", () => {
    assert.equal(rollbackTargetOf(history)?.version, 3);
    assert.deepEqual(
      truncateHistory(history).map(({ version }) => version),
      [5, 4, 3],
    );
  });

  it("keeps five failures when there is no good revision", () => {
    const failures = [7, 6, 5, 4, 3, 2, 1].map((version) => snapshot(version, "failed"));
    assert.equal(truncateHistory(failures).length, 5);
  });
});
