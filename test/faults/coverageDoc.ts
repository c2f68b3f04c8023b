// docs/faults.md from the records of coverage.ts: `node --import tsx test/faults/coverageDoc.ts`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { CONTROLS } from "../controls/controls";
import { FAULT_ROWS, type FaultRow } from "./coverage";

const TESTS = join(__dirname, "..");
export const FAULTS_DOC = join(__dirname, "../../docs/faults.md");

const HEAD = `# The fault matrix

Each row of the fault matrix (hazards.md, section 2), and what breaks it here: tests that name the row (F1 is row 1), and
faults of a campaign as \`npm run faults -- --faults "..."\` takes them, with a step, a call or a number for an example. A
campaign deals out the calls that a clean run was seen to make, each stage's in an order of the seed, and comes to none
again before all have been used; what happens at a call is drawn. Its summary counts the calls. \`--pairs\` puts two into a
stage; \`--carry restore\`, \`reseed\` and \`none\` break those data paths, \`--rollback STAGE\` the way back, \`--cleanup\` the
removal of the old file storage; faults that name their steps need the option.
\`--list\` tells what each fault does, for how long, where, and what the run must do under it. Packets, volumes and nodes
(\`world:...\`) are put right when their time is over, when the run has ended, on a signal, and, where a campaign was
killed, by the next \`npm run faults\`, \`rehearse\`, \`bench\` or \`cluster -- up\`, or by \`cluster -- down\`.
\`--continue\` goes on where a campaign of the same seed ended; results of another program or of other options are counted
apart.
After every run: the report's claims (nothing lost, one cluster, every acknowledged write readable), the key Secret as it
was, and the leak scan. The last column says what one machine cannot inject, or what nothing injects yet.

| Row | Fault | Tests | Campaign | Besides | Not injected, and why |
| --- | ----- | ----- | -------- | ------- | --------------------- |
`;

const CONTROLS_HEAD = `
## Positive controls

Known bugs, and what guards against each here. \`npm run controls\` takes one guard after the other out of a copy of the
project, and demands that the test named beside it turns red.

| Bug | What happens without the guard | Guard | Test |
| --- | ------------------------------ | ----- | ---- |
`;

/** Test files that name the row; lists of planted hazards count as what runs them. */
export function testsOf({ row }: FaultRow, files: ReadonlyMap<string, string>): string[] {
  const named = new RegExp(`\\bF${row}\\b`);
  const found = [...files].filter(([, text]) => named.test(text)).map(([file]) => file);
  const shown = found.map((file) => (file.startsWith("support/") ? "unit/gateChecks.test.ts" : file));
  return [...new Set(shown)].filter((file) => /\.test\.ts$/.test(file)).sort();
}

/** Every file below test/ that can name a row, by its path from there. */
export function testFiles(): ReadonlyMap<string, string> {
  const names = readdirSync(TESTS, { recursive: true, encoding: "utf8" }).filter(
    (name) =>
      /\.test\.ts$|^support\/\w+Hazards\.ts$/.test(name) && !/hazardCoverage|faultCoverage/.test(name),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(TESTS, name), "utf8")]));
}

export async function faultsDoc(): Promise<string> {
  const files = testFiles();
  const rows = FAULT_ROWS.map((one) => {
    const tests = testsOf(one, files).map((file) => file.replace(/\.test\.ts$/, ""));
    const campaign = (one.campaign ?? []).map((text) => `\`${text}\``);
    const cells = [`F${one.row}`, one.fault, tests.join(", "), campaign.join(", "), one.also, one.not];
    return rowOf(cells);
  });
  const controls = CONTROLS.map(({ bug, says, guard, test }) =>
    rowOf([bug, says, guard.replace(/^components\//, ""), test.replace(/^test\/|\.test\.ts$/g, "")]),
  );
  return await format(`${HEAD}${rows.join("\n")}\n${CONTROLS_HEAD}${controls.join("\n")}\n`, {
    parser: "markdown",
    printWidth: 120,
  });
}

function rowOf(cells: readonly (string | undefined)[]): string {
  return `| ${cells.map((cell) => (cell ?? "").replaceAll("|", "\\|")).join(" | ")} |`;
}

if (require.main === module) void faultsDoc().then((text) => writeFileSync(FAULTS_DOC, text));
