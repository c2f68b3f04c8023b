import { homedir } from "node:os";
import { join } from "node:path";

/** The project's cache folder, outside every checkout: built tools, cluster state, reports. */
export function cacheDir(...parts: string[]): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "openbao-raft-migration", ...parts);
}
