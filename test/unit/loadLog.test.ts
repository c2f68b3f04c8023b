import assert from "node:assert/strict";
import {
  acknowledged,
  availability,
  longestOutage,
  outages,
  parseLoadLog,
  summarise,
} from "../../rehearsal/load/loadLog";

type Extra = { t?: number; o?: "W" | "R"; c?: number; why?: string; took?: number };

/** A line of the client: attempt `n` that starts at `s` and takes 10 ms. */
function line(n: number, s: number, ok = true, extra: Extra = {}): string {
  const { took = 10, ...more } = extra;
  return JSON.stringify({ o: "W", n, t: 1, s, e: s + took, ok, c: ok ? 200 : 0, ...more });
}

/** Writes 1 to `count`, one every 50 ms from `from`; those with a number in `failed` fail. */
function steady(count: number, from: number, failed: readonly number[] = []): string[] {
  return Array.from({ length: count }, (_, at) => line(at + 1, from + at * 50, !failed.includes(at + 1)));
}

describe("load log", () => {
  it("is parsed with its prefix, in the order of the attempts' ends", () => {
    const start = JSON.stringify({ o: "start", prefix: "secret/data/load/x", s: 1 });
    const log = parseLoadLog([start, line(1, 100, true, { took: 500 }), line(2, 150)]);
    assert.equal(log.prefix, "secret/data/load/x");
    assert.deepEqual(
      log.attempts.map(({ sequence }) => sequence),
      [2, 1],
    );
    assert.equal(log.counted, undefined);
  });

  it("counts a line once that comes twice after a broken stream, and skips half lines and other text", () => {
    const lines = steady(4, 1000);
    const log = parseLoadLog([
      ...lines,
      "",
      lines[3]!.slice(0, 20),
      "no JSON",
      "null",
      "[]",
      ...lines.slice(2),
    ]);
    assert.equal(log.attempts.length, 4);
  });

  it("takes the client's own count from its last line", () => {
    const log = parseLoadLog([line(1, 5), '{"o":"end","s":9,"acknowledged":1}']);
    assert.equal(log.counted, 1);
  });

  it("names as acknowledged what any try got 200 for, and nothing else", () => {
    const lines = [
      line(3, 0),
      line(1, 10, false, { c: 503 }),
      line(1, 20, true, { t: 2 }),
      line(2, 30, false, { c: 503 }),
      line(2, 40, false, { t: 2 }),
      line(9, 50, true, { o: "R" }),
    ];
    assert.deepEqual(acknowledged(parseLoadLog(lines)), [1, 3]);
  });
});

describe("outage of a load", () => {
  it("runs from the end of the last acknowledged write before to the end of the first after", () => {
    const log = parseLoadLog([
      ...steady(3, 0),
      ...[4, 5, 6].map((n) => line(n, n * 50, false)),
      line(7, 5000),
    ]);
    assert.deepEqual(longestOutage(log), { startMs: 110, endMs: 5010, lengthMs: 4900 });
  });

  it("is found by reads of nothing: a successful read ends no write outage", () => {
    const log = parseLoadLog([line(1, 0), line(1, 500, true, { o: "R" }), line(2, 1000)]);
    assert.equal(longestOutage(log).lengthMs, 1000);
  });

  it("counts up to the last attempt when no write is acknowledged any more, and from the first attempt", () => {
    const log = parseLoadLog([line(1, 0, false), line(2, 400), line(3, 800, false, { took: 500 })]);
    assert.deepEqual(
      outages(log, 400).map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [410, 1300],
        [0, 410],
      ],
    );
  });

  it("is looked for only in the window that is asked for", () => {
    const lines = [line(1, 0), line(2, 3000), line(3, 3050), line(4, 4050)];
    const log = parseLoadLog(lines);
    assert.equal(longestOutage(log).lengthMs, 3000);
    assert.equal(longestOutage(log, 3040, 5000).lengthMs, 1000);
  });

  it("is of length 0 without any write", () => {
    assert.equal(longestOutage(parseLoadLog([])).lengthMs, 0);
  });
});

describe("availability of a load", () => {
  it("has a bucket for every quarter second, also for the ones in which nothing ended", () => {
    const log = parseLoadLog([line(1, 0), line(2, 100, false), line(3, 760)]);
    assert.deepEqual(availability(log), [
      { atMs: 0, ok: 1, failed: 1 },
      { atMs: 250, ok: 0, failed: 0 },
      { atMs: 500, ok: 0, failed: 0 },
      { atMs: 750, ok: 1, failed: 0 },
    ]);
  });

  it("adds up to all write attempts", () => {
    const buckets = availability(parseLoadLog(steady(100, 12345, [7, 8, 9])), 1000);
    const sum = (pick: "ok" | "failed") => buckets.reduce((total, bucket) => total + bucket[pick], 0);
    assert.deepEqual([sum("ok"), sum("failed")], [97, 3]);
  });
});

describe("summary of a load", () => {
  const summary = summarise(
    parseLoadLog([
      line(1, 0),
      line(2, 50, false, { c: 503, why: "status" }),
      line(2, 60, true, { t: 2 }),
      line(3, 100, false, { why: "timeout" }),
      line(3, 110, false, { t: 2, why: "refused" }),
      line(1, 900, true, { o: "R" }),
      line(2, 950, false, { o: "R", c: 404, why: "lost" }),
      line(2, 960, false, { o: "R", c: 503, why: "status" }),
    ]),
  );

  it("tells writes that failed for good from writes that a retry saved", () => {
    assert.deepEqual([summary.acknowledged, summary.failedWrites, summary.retriedWrites], [2, 1, 1]);
  });

  it("counts a read that misses an acknowledged entry as wrong, and one that got no entry only as failed", () => {
    assert.deepEqual([summary.reads, summary.failedReads, summary.wrongReads], [3, 2, 1]);
  });

  it("groups failures by their cause", () => {
    assert.deepEqual(summary.failedAttempts, { "HTTP 503": 2, timeout: 1, refused: 1, lost: 1 });
  });

  it("says how long the client itself stood still", () => {
    assert.equal(summary.clientStallMs, 790);
  });
});
