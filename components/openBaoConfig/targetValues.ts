import { isMap, type ServerConfig } from "./configBlocks";
import { raftConfig } from "./raftConfig";
import { refusal } from "./serverConfig";
import type { RaftConfigOptions } from "./retryJoin";

/** What the Raft values are made for. */
export interface RaftValuesOptions extends RaftConfigOptions {
  /** `server.ha.replicas` of this step (1 at the cutover). @default replicas */
  readonly haReplicas?: number;
  /** The standalone config where the values leave it to the chart's default. */
  readonly standaloneConfig?: ServerConfig;
}

/** The fields of the HelmRelease's values that this program owns. */
export const OWNED_VALUES: readonly (readonly string[])[] = [
  ["server", "standalone", "enabled"],
  ["server", "ha", "enabled"],
  ["server", "ha", "replicas"],
  ["server", "ha", "raft", "enabled"],
  ["server", "ha", "raft", "setNodeId"],
  ["server", "ha", "raft", "config"],
];

/**
 * The overlay on a HelmRelease's values that makes the standalone server a Raft one. It holds only the owned
 * fields; merge it onto the live values. `replicas` nodes are in retry_join from the start, so that the
 * config text, and with it the ConfigMap, does not change when the replicas do.
 * @throws ServerConfigError when the standalone config is absent or not understood.
 */
export function raftValues(
  liveValues: object,
  options: RaftValuesOptions,
): { server: Record<string, unknown> } {
  const config = standaloneConfig(liveValues) ?? options.standaloneConfig;
  if (config === undefined) {
    throw refusal(
      "no server.standalone.config in the HelmRelease's values",
      "the server's config",
      "write it out there, as the ConfigMap of the release has it",
    );
  }
  return {
    server: {
      standalone: { enabled: false },
      ha: {
        enabled: true,
        replicas: options.haReplicas ?? options.replicas,
        raft: { enabled: true, setNodeId: true, config: raftConfig(config, options) },
      },
    },
  };
}

/** `server.standalone.config` of the values, undefined when absent or empty. */
export function standaloneConfig(values: object): ServerConfig | undefined {
  const config = ["server", "standalone", "config"].reduce<unknown>(
    (node, key) => (isMap(node) ? node[key] : undefined),
    values,
  );
  if (typeof config === "string") return config.trim() === "" ? undefined : config;
  return isMap(config) ? config : undefined;
}
