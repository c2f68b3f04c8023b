import { formatRows, toolRows } from "./table";
import { ensureTools } from "./tools";

const USAGE = `npm run tools             make every tool that is missing, then print the table
npm run tools -- --check  only print the table; exit code 1 when something is missing`;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--check");
  if (unknown.length > 0) {
    console.error(`Unknown argument: ${unknown.join(" ")}. Expected:\n${USAGE}`);
    return 2;
  }
  if (!args.includes("--check")) await ensureTools((line) => console.error(line));
  const rows = toolRows();
  console.log(formatRows(rows));
  const missing = rows.filter((row) => row.missing).length;
  if (missing > 0) console.error(`${missing} of ${rows.length} parts are missing. Run: npm run tools`);
  return missing > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
