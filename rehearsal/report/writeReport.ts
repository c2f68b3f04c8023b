import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { htmlReport } from "./htmlReport";
import { markdownReport } from "./markdownReport";
import type { RunReport } from "./runReport";

/** Writes `report.md` and `report.html` into `dir`, which is made when it is absent; gives their paths. */
export async function writeReport(
  report: RunReport,
  dir: string,
): Promise<{ markdown: string; html: string }> {
  await mkdir(dir, { recursive: true });
  const paths = { markdown: join(dir, "report.md"), html: join(dir, "report.html") };
  await writeFile(paths.markdown, markdownReport(report), { mode: 0o600 });
  await writeFile(paths.html, htmlReport(report), { mode: 0o600 });
  return paths;
}
