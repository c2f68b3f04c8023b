import { availabilityChart } from "./availabilityChart";
import { escapeHtml } from "./chartParts";
import { STYLE } from "./reportStyle";
import { count, reportTables, seconds, type ReportTable } from "./reportTables";
import { verdict, type RunReport } from "./runReport";
import { timelineChart } from "./timelineChart";

/** The outage is shown with at least this much around it. */
const ZOOM_MARGIN_MS = 10_000;

/** The report as one HTML file that loads nothing from elsewhere. */
export function htmlReport(report: RunReport): string {
  const result = verdict(report);
  const tables = reportTables(report);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // The page may hold hostile names: whatever slipped through could still load and run nothing.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(report.title)}: ${result}</title><style>${STYLE}</style></head><body><main>`,
    `<header><h1>${escapeHtml(report.title)}</h1><p class="verdict ${result === "passed" ? "passed" : "failed-run"}">${result}</p></header>`,
    tiles(report),
    table(tables[0]!),
    charts(report),
    ...tables.slice(1).map(table),
    "</main></body></html>",
  ].join("\n");
}

function tiles(report: RunReport): string {
  const voters = report.peers.filter((peer) => peer.voter).length;
  const held = report.claims.filter((claim) => claim.holds).length;
  const facts = [
    [`${held} of ${report.claims.length}`, "claims hold"],
    [seconds(report.outage.longestMs / 1000), "longest write outage"],
    [count(report.outage.lost), "acknowledged writes lost"],
    [report.peers.length === 0 ? "not looked at" : String(voters), "Raft voters"],
    [seconds((Date.parse(report.endedAt) - Date.parse(report.startedAt)) / 1000), "whole run"],
  ];
  const shown = facts.map(
    ([value = "", what = ""]) => `<div><dd>${escapeHtml(value)}</dd><dt>${escapeHtml(what)}</dt></div>`,
  );
  return `<dl class="tiles">${shown.join("")}</dl>`;
}

function charts(report: RunReport): string {
  const { availability, outage, stages, journal } = report;
  const times = [
    ...stages.flatMap((stage) => [Date.parse(stage.startedAt), Date.parse(stage.endedAt)]),
    ...journal.map((event) => Date.parse(event.time)),
    ...[availability[0], availability.at(-1)].map((bucket) => bucket?.atMs ?? NaN),
  ].filter(Number.isFinite);
  if (times.length === 0) return "";
  const [fromMs, toMs] = [Math.min(...times), Math.max(...times)];
  const whole = { id: "whole", title: "Writes over the whole run", fromMs, toMs };
  const [outFrom, outTo] = [Date.parse(outage.from), Date.parse(outage.to)];
  const zoom = {
    id: "zoom",
    title: "Writes around the outage",
    fromMs: Math.max(fromMs, outFrom - ZOOM_MARGIN_MS),
    toMs: Math.min(toMs, outTo + ZOOM_MARGIN_MS),
  };
  const writes = key([
    ["ok", "acknowledged"],
    ["failed", "failed"],
    ["outage", "longest time without an acknowledged write"],
  ]);
  const steps = key([
    ["preview", "pulumi preview"],
    ["up", "pulumi up"],
    ["event", "step acts"],
    ["event done", "step done"],
    ["event bad", "refused or failed"],
  ]);
  return [
    `<section><h2>Timeline</h2>${steps}${timelineChart(report, fromMs, toMs)}</section>`,
    `<section><h2>Availability over time</h2>${writes}<h3>${whole.title}</h3>${availabilityChart(report, whole)}`,
    zoom.toMs > zoom.fromMs ? `<h3>${zoom.title}</h3>${availabilityChart(report, zoom)}` : "",
    "</section>",
  ].join("");
}

function key(marks: readonly (readonly [string, string])[]): string {
  const items = marks.map(([kind, text]) => {
    const mark = kind.startsWith("event")
      ? kind.endsWith("bad")
        ? `<path class="${kind}" d="M7 1l6 6l-6 6l-6 -6z"/>`
        : `<circle class="${kind}" cx="7" cy="7" r="4"/>`
      : `<rect class="${kind}" x="1" y="1" width="12" height="12"/>`;
    return `<li><svg aria-hidden="true" width="14" height="14" viewBox="0 0 14 14">${mark}</svg>${text}</li>`;
  });
  return `<ul class="key">${items.join("")}</ul>`;
}

function table({ title, about, head, rows, numbers = [], long }: ReportTable): string {
  const right = (column: number) => (numbers.includes(column) ? ' class="number"' : "");
  const cells = (row: readonly string[]) =>
    row.map(
      (value, column) => `<td${right(column)}>${value === "FAILS" ? mark(value) : escapeHtml(value)}</td>`,
    );
  const body =
    rows.length === 0
      ? "<p>None.</p>"
      : `<div class="scroll"><table><thead><tr>${head.map((name, column) => `<th scope="col"${right(column)}>${escapeHtml(name)}</th>`).join("")}</tr></thead>` +
        `<tbody>${rows.map((row) => `<tr>${cells(row).join("")}</tr>`).join("\n")}</tbody></table></div>`;
  const told = about === undefined ? "" : `<p>${escapeHtml(about)}</p>`;
  return long === true
    ? `<section><details><summary><h2>${escapeHtml(title)} (${rows.length})</h2></summary>${told}${body}</details></section>`
    : `<section><h2>${escapeHtml(title)}</h2>${told}${body}</section>`;
}

function mark(value: string): string {
  return `<strong class="bad">${value}</strong>`;
}
