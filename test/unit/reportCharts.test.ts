import assert from "node:assert/strict";
import { availabilityChart } from "../../rehearsal/report/availabilityChart";
import { escapeHtml } from "../../rehearsal/report/chartParts";
import { bucketLength, niceTop, timeTicks } from "../../rehearsal/report/chartScale";
import { htmlReport } from "../../rehearsal/report/htmlReport";
import { markdownReport } from "../../rehearsal/report/markdownReport";
import type { RunReport } from "../../rehearsal/report/runReport";

const START = Date.parse("2026-01-01T00:00:00.000Z");

function reportOf(change: Partial<RunReport> = {}): RunReport {
  const iso = (seconds: number) => new Date(START + seconds * 1000).toISOString();
  return {
    title: "Run",
    startedAt: iso(0),
    endedAt: iso(60),
    keys: 10,
    seed: "1",
    claims: [{ claim: "three voters", holds: true, seen: "3" }],
    versions: {},
    machine: "2 cores",
    stages: [
      { name: "cutover", startedAt: iso(0), endedAt: iso(50), previewSeconds: 5, upSeconds: 45, summary: "" },
    ],
    gate: [],
    peers: [],
    clusterId: { before: "a", after: "a" },
    inventory: {},
    manifest: { entries: 1, digest: "d", seconds: 1, keysPerSecond: 1 },
    outage: {
      longestMs: 10_000,
      from: iso(20),
      to: iso(30),
      acknowledged: 1,
      failedWrites: 0,
      lost: 0,
      wrong: 0,
    },
    availability: Array.from({ length: 240 }, (_, i) => ({ atMs: START + i * 250, ok: 2, failed: 0 })),
    failoverSeconds: 1,
    standIns: [],
    journal: [{ time: iso(10), step: "carry", beat: "done" }],
    ...change,
  };
}

describe("the report's charts", () => {
  it("put ticks at round distances, never more than asked for", () => {
    for (const seconds of [0, 3, 59, 61, 600, 5000, 50_000]) {
      assert.equal(timeTicks(START, START + seconds * 1000, 9).length <= 10, true, `${seconds} s`);
    }
    assert.deepEqual(
      timeTicks(START, START + 90_000, 4).map((tick) => tick.label),
      ["0:00", "0:30", "1:00", "1:30"],
    );
  });

  it("end the axis at the next round number", () =>
    assert.deepEqual([0, 0.3, 1, 3, 41, 80, 99, NaN].map(niceTop), [1, 0.4, 1, 4, 50, 80, 100, 1]));

  it("know the length of a bucket", () => {
    assert.equal(bucketLength(reportOf().availability), 250);
    assert.equal(bucketLength([]), 1000);
  });

  it("mark the outage where the view holds it, and nothing where none was measured", () => {
    const view = { id: "v", title: "t", fromMs: START, toMs: START + 60_000 };
    assert.match(availabilityChart(reportOf(), view), /class="outage".*no write for 10\.0 s/s);
    const outage = { ...reportOf().outage, from: "", to: "" };
    assert.doesNotMatch(availabilityChart(reportOf({ outage }), view), /class="outage"/);
  });

  it("have a title, a description and no number that is none", () => {
    const page = htmlReport(reportOf({ failoverSeconds: NaN }));
    assert.equal(page.match(/<title id=/g)?.length, 3);
    assert.equal(page.match(/<desc id=/g)?.length, 3);
    assert.doesNotMatch(page, /NaN|Infinity|undefined/);
    assert.match(page, /not measured/);
  });

  it("are left out when nothing was measured", () => {
    const page = htmlReport(reportOf({ stages: [], journal: [], availability: [] }));
    assert.doesNotMatch(page, /Timeline|NaN/);
  });
});

describe("the report's texts", () => {
  const hostile = `"><img src=x onerror=alert(1)>'&\u0000`;

  it("are escaped wherever they stand", () => {
    assert.equal(escapeHtml(hostile), "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;\ufffd");
    const report = reportOf();
    const page = htmlReport({
      ...report,
      title: hostile,
      machine: hostile,
      versions: { [hostile]: hostile },
      inventory: { [hostile]: hostile },
      stages: report.stages.map((stage) => ({ ...stage, name: hostile, summary: hostile })),
      journal: [{ time: hostile, step: hostile, beat: hostile }],
    });
    assert.doesNotMatch(page, /<img/);
  });

  it("load nothing from elsewhere", () => {
    const loads = htmlReport(reportOf()).match(/(?:src|href)=|url\(|@import/g);
    assert.equal(loads, null);
  });

  it("cannot break a Markdown table or become a link", () => {
    const text = markdownReport(reportOf({ machine: "a | b\n# c [x](y) <b> `" }));
    assert.match(text, /a \\\| b # c \\\[x\\\]\(y\) \\<b\\> \\`/);
  });
});
