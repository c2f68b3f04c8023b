import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { record } from "../cluster/openBaoStatus";

/** Names of the charts that a chart depends on: Helm does not record them, so such a chart cannot be made again. */
export function subcharts(chart: Readonly<Record<string, unknown>>): string[] {
  const wanted = record(chart["metadata"])["dependencies"];
  return Array.isArray(wanted) ? wanted.map((one) => String(record(one)["name"] ?? "?")) : [];
}

/**
 * Runs `use` with a folder that holds the chart as Helm recorded it: the same chart as installed, from no repository.
 * Readable by this user only, and removed afterwards.
 * @throws Error for a file name that leads out of the folder.
 */
export async function withChart<T>(
  chart: Readonly<Record<string, unknown>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "openbao-raft-chart-"));
  try {
    for (const [name, content] of chartFiles(chart)) {
      const path = join(folder, inside(name));
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, content, { mode: 0o600 });
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** JSON is YAML, so what Helm recorded as JSON is written as it is. */
function chartFiles(chart: Readonly<Record<string, unknown>>): [string, string | Buffer][] {
  const schema = chart["schema"];
  return [
    ...listed(chart["files"]),
    ...listed(chart["templates"]),
    ["Chart.yaml", JSON.stringify(chart["metadata"] ?? {})],
    ["values.yaml", JSON.stringify(chart["values"] ?? {})],
    ...(typeof schema === "string" && schema !== ""
      ? [["values.schema.json", Buffer.from(schema, "base64")] satisfies [string, Buffer]]
      : []),
  ];
}

function listed(files: unknown): [string, Buffer][] {
  if (!Array.isArray(files)) return [];
  return files.map((one) => [
    String(record(one)["name"]),
    Buffer.from(String(record(one)["data"] ?? ""), "base64"),
  ]);
}

function inside(name: string): string {
  const path = normalize(name);
  if (path.startsWith("/") || path.split("/").includes("..")) {
    throw new Error(`the recorded chart has a file "${name}", which leads out of the chart`);
  }
  return path;
}
