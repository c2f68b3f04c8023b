import { figure, label, LEFT, RIGHT, timeScale, WIDTH } from "./chartParts";
import { bucketLength, niceTop, timeTicks } from "./chartScale";
import { seconds } from "./reportTables";
import type { AvailabilityBucket, RunReport } from "./runReport";

const TOP = 30;
const PLOT = 150;
const MOST_BUCKETS = 290;

interface View {
  readonly id: string;
  readonly title: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Acknowledged and failed writes a second over the time of `view`, with the longest outage marked. */
export function availabilityChart(report: RunReport, view: View): string {
  const x = timeScale(view.fromMs, view.toMs);
  const inView = report.availability.filter(({ atMs }) => atMs >= view.fromMs && atMs <= view.toMs);
  const buckets = bars(inView, MOST_BUCKETS);
  const length = bucketLength(buckets);
  const rate = (writes: number) => (writes * 1000) / length;
  const top = niceTop(Math.max(0, ...buckets.map(({ ok, failed }) => rate(ok + failed))));
  const y = (value: number) => Math.round((TOP + PLOT * (1 - value / top)) * 10) / 10;
  const column = (at: number, low: number, high: number) =>
    high > low ? `M${x(at)} ${y(low)}V${y(high)}H${x(at + length)}V${y(low)}z` : "";
  const path = (kind: string, of: (bucket: AvailabilityBucket) => string) =>
    `<path class="${kind}" d="${buckets.map(of).join("")}"/>`;
  const floor = TOP + PLOT;
  const body = [
    ...[0, top / 2, top].map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>` +
        label(LEFT - 8, y(value) + 4, String(value), "end", "tick"),
    ),
    label(LEFT - 8, TOP - 14, "writes/s", "end", "tick"),
    outageBand(report, view, x),
    path("ok", ({ atMs, ok }) => column(atMs, 0, rate(ok))),
    path("failed", ({ atMs, ok, failed }) => column(atMs, rate(ok), rate(ok + failed))),
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${floor}" y2="${floor}"/>`,
    ...timeTicks(view.fromMs, view.toMs, 9).map(({ atMs, label: text }) =>
      label(x(atMs), floor + 16, text, "middle", "tick"),
    ),
    label(WIDTH - RIGHT, floor + 32, `one column = ${length / 1000} s; minutes:seconds`, "end", "tick"),
  ].join("\n");
  const about = `Longest time without an acknowledged write: ${seconds(report.outage.longestMs / 1000)}, from ${report.outage.from} to ${report.outage.to}.`;
  return figure(view.id, floor + 40, view.title, about, body);
}

function outageBand(report: RunReport, view: View, x: (ms: number) => number): string {
  const [from, to] = [Date.parse(report.outage.from), Date.parse(report.outage.to)];
  if (!(to > view.fromMs && from < view.toMs)) return "";
  const width = Math.max(1.5, Math.round((x(to) - x(from)) * 10) / 10);
  const middle = Math.min(WIDTH - RIGHT - 70, Math.max(LEFT + 70, x(from) + width / 2));
  return (
    `<rect class="outage" x="${x(from)}" y="${TOP}" width="${width}" height="${PLOT}"/>` +
    label(middle, TOP - 8, `no write for ${seconds(report.outage.longestMs / 1000)}`, "middle")
  );
}

/** Joins neighbouring buckets until at most `most` are left; no write is dropped. */
export function bars(buckets: readonly AvailabilityBucket[], most: number): AvailabilityBucket[] {
  const size = Math.max(1, Math.ceil(buckets.length / most));
  const merged: AvailabilityBucket[] = [];
  for (let from = 0; from < buckets.length; from += size) {
    const part = buckets.slice(from, from + size);
    merged.push({
      atMs: part[0]!.atMs,
      ok: part.reduce((sum, bucket) => sum + bucket.ok, 0),
      failed: part.reduce((sum, bucket) => sum + bucket.failed, 0),
    });
  }
  return merged;
}
