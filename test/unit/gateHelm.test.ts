import assert from "node:assert/strict";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { formatReport } from "../../components/gate/report";
import { FakeHelm } from "../support/fakeHelm";
import { configOf, helmWorld } from "../support/snapshotBuilder";

describe("gate: what Helm says", () => {
  let helm: FakeHelm;
  beforeEach(() => (helm = new FakeHelm()));
  afterEach(() => helm.remove());

  it("is told by its exit code alone: a template's error quotes the value it failed on", async () => {
    helm.answers({ code: 1, stderr: 'error converting YAML: password: "canary-in-a-value"' });
    const config = configOf({ stage: "cutover", delivery: "helm" });
    const { report } = judged({ ok: true, config }, config, await helmWorld().snapshot(config), checks);
    const row = report.rows.find((one) => one.check.id === "helm-renders-same")!;
    assert.match(row.judgement.found, /^helm upgrade ended with 1; the same command with --dry-run=server/);
    assert.doesNotMatch(formatReport(report), /canary/);
  });
});
