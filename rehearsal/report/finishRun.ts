import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verdict, type RunReport } from "./runReport";
import { writeReport } from "./writeReport";

/** Writes the report and says what it says. @returns the exit code */
export async function finishRun(
  report: RunReport,
  runDir: string,
  log: (line: string) => void,
): Promise<number> {
  writeFileSync(join(runDir, "report.json"), JSON.stringify(report), { mode: 0o600 });
  const paths = await writeReport(report, runDir);
  for (const claim of report.claims)
    log(`${claim.holds ? "holds" : "FAILS"}: ${claim.claim} (${claim.seen})`);
  for (const { what, seen, aim } of report.measures ?? []) log(`measured: ${what} ${seen} (aim: ${aim})`);
  log(`rehearsal ${verdict(report)}; report: ${paths.markdown} and ${paths.html}`);
  return verdict(report) === "passed" ? 0 : 1;
}
