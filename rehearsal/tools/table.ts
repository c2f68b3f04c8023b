import { dirname } from "node:path";
import { locate } from "./locate";
import { commandPlugin } from "./pluginHome";
import { toolList, type ToolPart } from "./toolList";

/** One line of the tools table, in words. */
export interface ToolRow {
  readonly part: string;
  readonly wanted: string;
  readonly found: string;
  readonly from: string;
  readonly missing: boolean;
}

/** Looks at every part and tells what is there, an optional one only where it is; changes nothing. */
export function toolRows(parts: readonly ToolPart[] = toolList): ToolRow[] {
  const shown = parts.filter((part) => part.optional !== true || locate(part).found !== undefined);
  return shown.map((part) => {
    const { found, unfit } = locate(part);
    const row = { part: part.name, wanted: part.fit.text };
    if (!found) {
      const from = unfit ? `${unfit.path}: ${unfit.why}` : howToGet(part);
      return { ...row, found: "missing", from, missing: true };
    }
    const dirs = [...new Set(Object.values(found.paths).map((path) => dirname(path)))].join(", ");
    const standIn =
      part.source.kind === "stand-in" && found.from !== "user's plugins" && commandPlugin() === "stand-in";
    const version = standIn ? "stand-in" : (found.version ?? "there");
    return { ...row, found: version, from: `${found.from}: ${dirs}`, missing: false };
  });
}

/** Lays rows out in columns, for a terminal. */
export function formatRows(rows: readonly ToolRow[]): string {
  const head = { part: "PART", wanted: "WANTED", found: "FOUND", from: "FROM WHERE" };
  const lines = [head, ...rows];
  const width = (key: "part" | "wanted" | "found"): number =>
    Math.max(...lines.map((line) => line[key].length));
  const [part, wanted, found] = [width("part"), width("wanted"), width("found")];
  return lines
    .map((line) =>
      [line.part.padEnd(part), line.wanted.padEnd(wanted), line.found.padEnd(found), line.from].join("  "),
    )
    .join("\n");
}

function howToGet(part: ToolPart): string {
  switch (part.source.kind) {
    case "go":
      return `npm run tools builds ${part.version}`;
    case "debian":
      return `npm run tools installs the Debian package ${part.source.package}`;
    case "stand-in":
      return "npm run tools lays the stand-in of this checkout";
  }
}
