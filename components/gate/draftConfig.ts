import { parseConfig, PROJECT, type ConfigFinding, type MigrationConfig } from "../../config";

/**
 * What can be judged although the config is broken: the keys without a finding, and defaults in place of the others.
 * Nothing is done with it but looking.
 */
export function draftConfig(
  raw: Readonly<Record<string, unknown>>,
  findings: readonly ConfigFinding[],
): MigrationConfig {
  const broken = new Set(findings.map((finding) => topKey(finding.key)));
  const kept = Object.fromEntries(Object.entries(raw).filter(([key]) => !broken.has(key)));
  for (const attempt of [
    { stage: "network", ...kept },
    // Stage land without its checkout: all before it can still be judged.
    { ...kept, stage: "verify" },
    { ...named(kept), stage: "network" },
    { stage: "network" },
  ]) {
    const result = parseConfig(attempt);
    if (result.ok) return result.config;
  }
  throw new Error("the config's defaults do not parse; this is a bug");
}

/** The keys that say where to look. */
function named(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys = ["context", "namespace", "release"];
  return Object.fromEntries(Object.entries(raw).filter(([key]) => keys.includes(key)));
}

function topKey(key: string): string {
  return key.slice(PROJECT.length + 1).split(/[.[]/)[0] ?? "";
}
