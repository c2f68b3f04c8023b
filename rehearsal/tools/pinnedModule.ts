import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

/** A Go module of which only files are read. */
export interface PinnedModule {
  readonly module: string;
  readonly version: string;
  /** As go.sum has it. */
  readonly sum: string;
}

const DOWNLOAD_SECONDS = 180;

/**
 * The folder of a module in Go's own module cache, downloaded where it is not there (180 s).
 * @returns the folder, or why it cannot be had here.
 * @throws Error when what came has another checksum.
 */
export function pinnedModule({ module, version, sum }: PinnedModule): { dir: string } | { why: string } {
  const env = { ...process.env, GO111MODULE: "on", GOWORK: "off", GOFLAGS: "" };
  const answer = spawnSync("go", ["mod", "download", "-json", `${module}@${version}`], {
    ...{ cwd: tmpdir(), env, encoding: "utf8", timeout: DOWNLOAD_SECONDS * 1000, maxBuffer: 1 << 24 },
  });
  if (answer.error !== undefined) return { why: answer.error.message };
  const said = parsed(answer.stdout);
  if (said.Dir === undefined || said.Sum === undefined)
    return { why: (said.Error ?? answer.stderr).trim().slice(0, 300) };
  if (said.Sum !== sum)
    throw new Error(`${module}@${version} has checksum ${said.Sum}, expected ${sum}: it is another text`);
  return { dir: said.Dir };
}

function parsed(text: string): { readonly Dir?: string; readonly Sum?: string; readonly Error?: string } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
