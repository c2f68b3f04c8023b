import assert from "node:assert/strict";
import { bars } from "../../rehearsal/report/availabilityChart";
import { htmlReport } from "../../rehearsal/report/htmlReport";
import { markdownReport } from "../../rehearsal/report/markdownReport";
import { verdict, type RunReport } from "../../rehearsal/report/runReport";
import { lookSeconds } from "../../rehearsal/move";
import { measuresOf } from "../../rehearsal/outcome";

const REPORT: RunReport = {
  title: "Rehearsal <b>",
  startedAt: "2026-01-01T00:00:00.000Z",
  endedAt: "2026-01-01T00:10:00.000Z",
  keys: 10,
  seed: "1",
  claims: [{ claim: "three voters", holds: true, seen: "a | b" }],
  versions: {},
  machine: "2 cores",
  stages: [],
  gate: [`<script>alert("x")</script>`],
  peers: [],
  clusterId: { before: "a", after: "a" },
  inventory: { lost: 0 },
  manifest: { entries: 1, digest: "d", seconds: 1, keysPerSecond: 1 },
  outage: { longestMs: 1500, from: "", to: "", acknowledged: 1, failedWrites: 0, lost: 0, wrong: 0 },
  availability: Array.from({ length: 1000 }, (_, i) => ({ atMs: i * 250, ok: 3, failed: i % 2 })),
  failoverSeconds: 1,
  standIns: [],
  journal: [],
};

describe("the rehearsal's report", () => {
  it("says failed as soon as one claim does not hold", () => {
    const failing = { ...REPORT, claims: [...REPORT.claims, { claim: "x", holds: false, seen: "" }] };
    assert.equal(verdict(REPORT), "passed");
    assert.equal(verdict(failing), "failed");
    assert.match(htmlReport(failing), /class="verdict failed-run">failed</);
    assert.match(htmlReport(REPORT), /class="verdict passed">passed</);
  });

  it("shows the longest preview and look beside their aims, and fails no run for them", () => {
    const look = lookSeconds(
      "  info: Gate: stage land asked for, stage verify done; looked for 6.5 s at 2026-01-01T00:00:00Z\n",
    );
    const measures = measuresOf([
      { name: "network", previewSeconds: 12.34, lookSeconds: look, upSeconds: 1 },
      { name: "rollback", previewSeconds: 4, lookSeconds: lookSeconds("no gate"), upSeconds: 42.19 },
    ]);
    const report = { ...REPORT, measures };
    assert.match(markdownReport(report), /longest preview of a stage \| +10 s \| +12\.3 s/);
    assert.match(markdownReport(report), /longest look of the gate \| +5 s \| +6\.5 s/);
    assert.match(markdownReport(report), /the way back, the whole pulumi up \| 60 s plus .* \| 42\.2 s/);
    assert.equal(verdict(report), "passed");
    assert.deepEqual(
      measuresOf([]).map(({ seen }) => seen),
      ["not measured", "not measured"],
    );
  });

  it("says failed when it makes no claim at all", () =>
    assert.equal(verdict({ ...REPORT, claims: [] }), "failed"));

  it("lets no markup of the cluster's own texts into the page", () => {
    const page = htmlReport(REPORT);
    assert.doesNotMatch(page, /<script>|Rehearsal <b>/);
    assert.match(page, /&lt;script&gt;/);
  });

  it("keeps a table's shape when a cell holds a bar", () => assert.match(markdownReport(REPORT), /a \\\| b/));

  it("joins buckets for the chart and drops no attempt", () => {
    const drawn = bars(REPORT.availability, 300);
    assert.equal(drawn.length <= 300, true);
    assert.equal(
      drawn.reduce((sum, bar) => sum + bar.ok, 0),
      3000,
    );
    assert.equal(
      drawn.reduce((sum, bar) => sum + bar.failed, 0),
      500,
    );
  });
});
