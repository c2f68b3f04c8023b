import type { ConfigFinding, Stage } from "../../config";
import { shortList } from "./check";
import { clean } from "./observed";
import type { Outcome, Row } from "./verdicts";
import type { Waiver } from "./waivers";

/** Everything that the gate has to say. */
export interface GateReport {
  readonly stage: Stage | "rollback";
  readonly observed: Stage | "none";
  readonly takenAt: string;
  readonly tookMs: number;
  readonly rows: readonly Row[];
  /** Every waiver of the config; those that nothing needs are shown too, so that a reviewer sees them all. */
  readonly waivers: readonly Waiver[];
  /** Faults of the config and of its waivers. */
  readonly config: readonly ConfigFinding[];
  /** Why nothing could be seen, when the API server did not answer: every other check is unknown for that reason. */
  readonly blind?: string;
}

const BLOCKING: readonly Outcome[] = ["FAIL", "UNKNOWN"];
const SHOWN: readonly Outcome[] = ["FAIL", "UNKNOWN", "WAIVED", "WARN", "LATER", "PASS"];
const MAX_CONFIG_LINES = 100;

export function blocks(report: GateReport): boolean {
  return report.config.length > 0 || report.rows.some((row) => BLOCKING.includes(row.outcome));
}

/** One table of all checks, then a line for each thing to act on. */
export function formatReport(report: GateReport): string {
  const rows = report.blind === undefined ? report.rows : report.rows.filter((row) => isSeen(row));
  const unseen = report.rows.length - rows.length;
  const shown = rows.filter((row) => SHOWN.includes(row.outcome));
  const rest = rows.length - shown.length;
  const asked = report.config.length === 0 ? "asked for" : "judged (the config has faults)";
  const done = report.observed === "none" ? "nothing" : `stage ${report.observed}`;
  const seconds = (report.tookMs / 1000).toFixed(1);
  const head = [
    `Gate: stage ${report.stage} ${asked}, ${done} done; looked for ${seconds} s at ${report.takenAt}`,
  ];
  const lines = table([
    ["RESULT", "CHECK", "STAGE", "FOUND"],
    ...shown.map((row) => [row.outcome, row.check.id, row.check.stage, clean(row.judgement.found, 90)]),
  ]);
  const quiet = rest === 0 ? [] : [`${rest} more: their stage is done, or there is nothing to judge`];
  const blind = unseen === 0 ? [] : [`${unseen} more: not known until the API server answers`];
  const details = detailLines(report, rows);
  return [...head, "", ...lines, ...quiet, ...blind, "", ...details, summary(report)].join("\n");
}

/** Without an API server one row says so; its followers would only repeat it. */
function isSeen(row: Row): boolean {
  return row.judgement.verdict !== "unknown" || row.check.id === "api-reachable";
}

function detailLines(report: GateReport, judged: readonly Row[]): string[] {
  const rows = (outcome: Outcome) => judged.filter((row) => row.outcome === outcome);
  const config = report.config.slice(0, MAX_CONFIG_LINES).map(configLine);
  const more = report.config.length - config.length;
  return [
    ...config,
    ...(more > 0 ? [`FAIL config: ${more} more findings`] : []),
    ...rowLines(rows("FAIL")),
    ...rowLines(rows("UNKNOWN")),
    ...rows("WAIVED").map(
      ({ check, judgement, waiver }) =>
        `WAIVED ${check.id} until ${waiver?.expires}: ${clean(judgement.found)}. Reason: ${clean(waiver?.reason ?? "", 500)}. Risk: ${check.hazard.loss}.`,
    ),
    ...unusedWaivers(report),
    ...rowLines(rows("WARN")),
    ...rowLines(rows("LATER")),
  ];
}

function unusedWaivers({ rows, waivers }: GateReport): string[] {
  const used = rows.flatMap((row) => row.waiver ?? []);
  return waivers
    .filter((waiver) => !used.includes(waiver))
    .map((waiver) => {
      const row = rows.find((one) => one.check.id === waiver.check);
      const why = row === undefined ? "no check of this run" : `its check is ${row.outcome}`;
      return `WAIVER ${clean(waiver.check)} until ${waiver.expires}: not used (${why}). Reason: ${clean(waiver.reason, 500)}.`;
    });
}

function configLine(finding: ConfigFinding): string {
  return `FAIL ${clean(finding.key)}: found ${clean(finding.found)}. Expected ${clean(finding.expected, 300)}. Fix: ${clean(finding.fix, 300)}.`;
}

function rowLine({ check, outcome, judgement }: Row): string {
  const found =
    judgement.verdict === "unknown" ? `not known: ${judgement.found}` : `found ${judgement.found}`;
  const later = outcome === "LATER" ? ` Stage ${check.stage} will ask for it.` : "";
  return `${outcome} ${check.id}: ${found}. Expected ${judgement.expected}. Risk: ${check.hazard.loss} [${check.hazard.ids.join(", ")}]. Fix: ${check.remedy}.${later}`;
}

/** One cause, such as a server that does not answer, makes many checks unknown: it is said once. */
function rowLines(rows: readonly Row[]): string[] {
  const byCause = new Map<string, Row[]>();
  for (const row of rows) {
    const cause = row.judgement.verdict === "unknown" ? row.judgement.found : row.check.id;
    byCause.set(cause, [...(byCause.get(cause) ?? []), row]);
  }
  return [...byCause.values()].flatMap(([first, ...others]) => [
    rowLine(first!),
    ...(others.length === 0
      ? []
      : [
          `${first!.outcome} ${others.length} more for the same cause: ${shortList(others.map((row) => row.check.id))}`,
        ]),
  ]);
}

function summary(report: GateReport): string {
  const count = (outcome: Outcome) => report.rows.filter((row) => row.outcome === outcome).length;
  const figures = `${count("PASS")} passed, ${count("WARN")} warned, ${count("WAIVED")} waived, ${count("LATER")} for later, ${count("FAIL")} failed, ${count("UNKNOWN")} not known, ${report.config.length} faults of the config`;
  return `${figures}. ${blocks(report) ? "Stopped: nothing was touched." : "The way is free."}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}

/** The report for machines (CI): one JSON object, with all checks. */
export function reportJson(report: GateReport): string {
  const checks = report.rows.map(({ check, outcome, judgement, waiver }) => ({
    id: check.id,
    stage: check.stage,
    outcome,
    verdict: judgement.verdict,
    found: judgement.found,
    expected: judgement.expected,
    hazards: check.hazard.ids,
    risk: check.hazard.loss,
    fix: check.remedy,
    ...(waiver !== undefined && { waiver }),
  }));
  const { stage, observed, takenAt, tookMs, config, waivers } = report;
  return JSON.stringify({
    format: 1,
    blocked: blocks(report),
    stage,
    observed,
    takenAt,
    tookMs,
    config,
    waivers,
    checks,
  });
}
