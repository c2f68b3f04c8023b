import { escapeHtml, figure, label, LEFT, RIGHT, timeScale, WIDTH } from "./chartParts";
import { timeTicks } from "./chartScale";
import { seconds } from "./reportTables";
import type { RunReport } from "./runReport";

const ROW = 26;
const TOP = 8;

/** Stages one below the other, and the journal's events, on the run's time axis. */
export function timelineChart(report: RunReport, fromMs: number, toMs: number): string {
  const x = timeScale(fromMs, toMs);
  const journalY = TOP + report.stages.length * ROW + ROW / 2;
  const floor = journalY + ROW / 2 + 4;
  const grid = timeTicks(fromMs, toMs, 9).map(
    ({ atMs, label: text }) =>
      `<line class="grid" x1="${x(atMs)}" x2="${x(atMs)}" y1="${TOP}" y2="${floor}"/>` +
      label(x(atMs), floor + 16, text, "middle", "tick"),
  );
  const rows = report.stages.map((stage, row) => stageRow(stage, TOP + row * ROW, x));
  const events = report.journal.map((event) => {
    const bad = event.beat === "failed" || event.beat === "refused";
    const at = x(Date.parse(event.time) || fromMs);
    const kind = bad ? "event bad" : event.beat === "done" ? "event done" : "event";
    const [half, y] = [5, journalY];
    const mark = bad
      ? `<path class="${kind}" d="M${at} ${y - half - 1}l6 6l-6 6l-6 -6z">`
      : `<circle class="${kind}" cx="${at}" cy="${y}" r="4">`;
    const end = bad ? "</path>" : "</circle>";
    return `${mark}<title>${escapeHtml(`${event.step}: ${event.beat}, ${event.time}`)}</title>${end}`;
  });
  const body = [
    ...grid,
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${floor}" y2="${floor}"/>`,
    ...rows,
    label(LEFT - 10, journalY + 4, "journal", "end"),
    ...events,
    label(WIDTH - RIGHT, floor + 32, "minutes:seconds since the start", "end", "tick"),
  ].join("\n");
  const about = report.stages.map((s) => `${s.name}: ${seconds(s.previewSeconds + s.upSeconds)}`).join("; ");
  return figure("timeline", floor + 40, "Timeline of stages and journal events", about, body);
}

function stageRow(stage: RunReport["stages"][number], y: number, x: (ms: number) => number): string {
  const [from, to] = [Date.parse(stage.startedAt), Date.parse(stage.endedAt)];
  const previewEnd = Math.min(
    to,
    from + (Number.isFinite(stage.previewSeconds) ? stage.previewSeconds : 0) * 1000,
  );
  const total = seconds((to - from) / 1000);
  const bar = (kind: string, a: number, b: number, what: string) => {
    const width = Math.max(1, Math.round((x(b) - x(a)) * 10) / 10);
    return `<rect class="${kind}" x="${x(a)}" y="${y + 5}" width="${width}" height="${ROW - 10}"><title>${escapeHtml(`${stage.name}: ${what}`)}</title></rect>`;
  };
  // A label beside a bar that ends at the right edge goes to its left.
  const beside = x(to) > WIDTH - RIGHT - 60;
  return [
    label(LEFT - 10, y + ROW / 2 + 4, stage.name, "end"),
    bar("preview", from, previewEnd, `preview ${seconds(stage.previewSeconds)}`),
    bar("up", previewEnd, to, `up ${seconds(stage.upSeconds)}`),
    label(beside ? x(from) - 6 : x(to) + 6, y + ROW / 2 + 4, total, beside ? "end" : "start", "tick"),
  ].join("");
}
