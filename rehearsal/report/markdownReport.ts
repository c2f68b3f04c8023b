import { reportTables, type ReportTable } from "./reportTables";
import { verdict, type RunReport } from "./runReport";

/** The report as GitHub-flavoured Markdown. */
export function markdownReport(report: RunReport): string {
  return [
    `# ${cell(report.title)}`,
    `**Verdict: ${verdict(report).toUpperCase()}**`,
    ...reportTables(report).map(section),
  ]
    .join("\n\n")
    .concat("\n");
}

function section(table: ReportTable): string {
  const rule = table.head.map((_, column) => (table.numbers?.includes(column) === true ? "---:" : "---"));
  const lines = [table.head, rule, ...table.rows.map((row) => row.map(cell))].map(
    (cells) => `| ${cells.join(" | ")} |`,
  );
  const about = table.about === undefined ? "" : `${table.about}\n\n`;
  return `## ${table.title}\n\n${about}${table.rows.length === 0 ? "None." : lines.join("\n")}`;
}

/** Text that can neither end its cell nor become markup. */
function cell(value: string): string {
  return value.replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s+/g, " ");
}
