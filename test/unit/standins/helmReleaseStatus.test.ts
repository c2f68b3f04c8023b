import assert from "node:assert/strict";
import {
  findCondition,
  setCondition,
  summarize,
} from "../../../rehearsal/standins/helmController/conditions";
import { takeRequest } from "../../../rehearsal/standins/helmController/handleRequest";
import {
  durationMs,
  releaseName,
  type HelmRelease,
  type HelmReleaseStatus,
} from "../../../rehearsal/standins/helmController/helmRelease";
import { trigger } from "../../../rehearsal/standins/helmController/releaseQueue";
import {
  decodeRelease,
  encodeRelease,
  snapshotOf,
} from "../../../rehearsal/standins/helmController/releaseStorage";
import { helmArguments, helmError } from "../../../rehearsal/standins/helmController/runHelm";

const release = (
  spec: Partial<HelmRelease["spec"]> = {},
  annotations: Record<string, string> = {},
): HelmRelease => ({
  metadata: { name: "openbao", namespace: "vault", generation: 3, resourceVersion: "1", annotations },
  spec: { interval: "2m", ...spec },
});

describe("helm-controller stand-in: conditions", () => {
  const early = new Date("2026-01-01T00:00:00Z");
  const late = new Date("2026-01-01T00:01:00Z");

  it("moves the transition time only with the status", () => {
    const status: HelmReleaseStatus = {};
    const set = (value: "True" | "False", now: Date) =>
      setCondition(status, 1, { type: "Ready", status: value, reason: "R", message: "" }, now);
    set("True", early);
    set("True", late);
    assert.equal(findCondition(status, "Ready")?.lastTransitionTime, "2026-01-01T00:00:00Z");
    set("False", late);
    assert.equal(findCondition(status, "Ready")?.lastTransitionTime, "2026-01-01T00:01:00Z");
  });

  it("is not Ready after a successful rollback, whatever Released says", () => {
    const status: HelmReleaseStatus = {};
    setCondition(status, 2, { type: "Released", status: "False", reason: "UpgradeFailed", message: "f" });
    setCondition(status, 2, {
      type: "Remediated",
      status: "True",
      reason: "RollbackSucceeded",
      message: "r",
    });
    summarize(status, 2);
    const { status: value, reason, observedGeneration } = findCondition(status, "Ready") ?? {};
    assert.deepEqual([value, reason, observedGeneration], ["False", "RollbackSucceeded", 2]);
  });

  it("follows the condition of the newest generation and clears Stalled once Ready", () => {
    const status: HelmReleaseStatus = {};
    setCondition(status, 1, { type: "Stalled", status: "True", reason: "RetriesExceeded", message: "" });
    setCondition(status, 1, { type: "Remediated", status: "True", reason: "RollbackSucceeded", message: "" });
    setCondition(status, 2, { type: "Released", status: "True", reason: "UpgradeSucceeded", message: "" });
    summarize(status, 2);
    assert.equal(findCondition(status, "Ready")?.reason, "UpgradeSucceeded");
    assert.equal(findCondition(status, "Stalled"), undefined);
  });
});

describe("helm-controller stand-in: requests by annotation", () => {
  const prefix = "reconcile.fluxcd.io";

  it("forces once, and only together with the same requestedAt", () => {
    const status: HelmReleaseStatus = {};
    const both = release({}, { [`${prefix}/requestedAt`]: "1", [`${prefix}/forceAt`]: "1" });
    assert.equal(takeRequest(both, status, "force"), true);
    assert.equal(takeRequest(both, status, "force"), false);
    const other = release({}, { [`${prefix}/requestedAt`]: "3", [`${prefix}/forceAt`]: "2" });
    assert.equal(takeRequest(other, status, "force"), false);
    assert.equal(status.lastHandledForceAt, "2");
  });

  it("reconciles on generation and request, not on other annotations", () => {
    const plain = trigger(release());
    assert.equal(trigger(release({}, { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" })), plain);
    assert.notEqual(trigger(release({}, { [`${prefix}/requestedAt`]: "1" })), plain);
  });
});

describe("helm-controller stand-in: Helm", () => {
  it("waits, takes ownership and reads values from stdin by default", () => {
    const argv = helmArguments("upgrade", release({ timeout: "10m" }), "/charts/openbao");
    assert.deepEqual(argv.slice(0, 4), ["upgrade", "openbao", "/charts/openbao", "--wait"]);
    const joined = argv.join(" ");
    for (const part of [
      "--timeout 600s",
      "--namespace vault",
      "--take-ownership",
      "--values -",
      "--reset-values",
    ]) {
      assert.ok(joined.includes(part), `${part} not in: ${joined}`);
    }
  });

  it("honours disableWait, the action's own timeout and disableTakeOwnership", () => {
    const upgrade = { disableWait: true, timeout: "90s", disableTakeOwnership: true };
    const argv = helmArguments("upgrade", release({ timeout: "10m", upgrade }), "/charts/openbao");
    assert.ok(argv.includes("90s"));
    for (const flag of ["--wait", "--wait-for-jobs", "--take-ownership"])
      assert.ok(!argv.includes(flag), flag);
  });

  it("rolls back to the named revision", () => {
    assert.deepEqual(helmArguments("rollback", release(), "", 4).slice(0, 3), ["rollback", "openbao", "4"]);
  });

  it("reports Helm's error without its prefix and the warnings before it", () => {
    assert.equal(helmError("WARNING: x\nError: UPGRADE FAILED: no such\nmore\n"), "no such\nmore");
  });

  it("names releases as Flux does", () => {
    assert.equal(releaseName(release()), "openbao");
    assert.equal(releaseName(release({ targetNamespace: "bao" })), "bao-openbao");
    assert.equal(releaseName(release({ releaseName: "r".repeat(60) })).length, 53);
  });

  it("reads Go durations", () => {
    assert.deepEqual([durationMs("1h30m"), durationMs("1.5s"), durationMs("250ms")], [5_400_000, 1_500, 250]);
    assert.throws(() => durationMs("10"), /found duration "10"/);
  });

  it("reads and writes Helm's stored releases, and sees a superseded one as the same", () => {
    const info = {
      status: "deployed",
      first_deployed: "2026-01-01T00:00:00.5Z",
      last_deployed: "2026-01-01T00:00:00Z",
    };
    const chart = { metadata: { name: "openbao", version: "0.29.2" } };
    const stored = {
      name: "openbao",
      namespace: "vault",
      version: 1,
      info,
      chart,
      config: { a: 1 },
      manifest: "",
    };
    assert.deepEqual(decodeRelease(encodeRelease(stored)), stored);
    const superseded = { ...stored, info: { ...info, status: "superseded" } };
    assert.equal(snapshotOf(superseded).digest, snapshotOf(stored).digest);
    assert.notEqual(snapshotOf({ ...stored, config: { a: 2 } }).digest, snapshotOf(stored).digest);
    assert.equal(snapshotOf(stored).firstDeployed, "2026-01-01T00:00:00Z");
  });
});
