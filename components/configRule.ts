import type { ConfigFinding, MigrationConfig } from "../config";

/** A rule between config keys. It is judged as soon as the keys that it reads are sound, whatever else is wrong. */
export interface ConfigRule {
  readonly reads: readonly (keyof MigrationConfig)[];
  /** Faults, with keys below the project's prefix; `config` has at least the keys of `reads`. */
  readonly faults: (config: Readonly<Partial<MigrationConfig>>) => readonly ConfigFinding[];
}

/** Makes a rule whose function can read no key but the ones it declares. */
export function rule<K extends keyof MigrationConfig>(
  reads: readonly K[],
  faults: (config: Readonly<Pick<MigrationConfig, K>>) => readonly ConfigFinding[],
): ConfigRule {
  return { reads, faults: (config) => faults(config as Pick<MigrationConfig, K>) };
}
