import type { TlsConfig } from "../platformConfig";
import { field, isMap, type ServerConfig } from "./configBlocks";
import { listenerTls, refusal, storageBlock } from "./serverConfig";

/** What the Raft config is made for. */
export interface RaftConfigOptions {
  /** Name of the HelmRelease, and so the prefix of the pods. */
  readonly release: string;
  /** Raft nodes at the end. */
  readonly replicas: number;
  /** Namespace of the pods. */
  readonly namespace: string;
  /** Largest entry in bytes. @default the server's own, 1048576 */
  readonly maxEntrySize?: number;
  /** Raft's timing, 1 to 10; 1 is the fastest. @default the server's own, 5 */
  readonly performanceMultiplier?: number;
  /** CA file in the pod that signed the listener's certificate. @default the listener's tls_client_ca_file */
  readonly leaderCaCertFile?: string;
  /** Name in the leader's certificate. @default each node's own name */
  readonly leaderServerName?: string;
}

/** The options that are no names. */
export type RaftTuning = Omit<RaftConfigOptions, "release" | "replicas" | "namespace">;

/** The part of the options that a config with TLS gives. */
export function joinTrust(tls: TlsConfig | undefined): RaftTuning {
  return {
    ...(tls?.caFile !== undefined && { leaderCaCertFile: tls.caFile }),
    ...(tls?.serverName !== undefined && { leaderServerName: tls.serverName }),
  };
}

/** The options as keys of the storage stanza, in the order in which they are written. */
export function storageTuning(options: RaftConfigOptions): Record<string, string> {
  const { maxEntrySize, performanceMultiplier } = options;
  return {
    ...(performanceMultiplier !== undefined && { performance_multiplier: String(performanceMultiplier) }),
    ...(maxEntrySize !== undefined && { max_entry_size: String(maxEntrySize) }),
  };
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Bodies of the retry_join blocks, one a node; TLS is kept where the listener has it. */
export function joinTargets(config: ServerConfig, options: RaftConfigOptions): Record<string, string>[] {
  checked(options);
  const tls = listenerTls(config);
  const scheme = tls.enabled ? "https" : "http";
  const files = tls.enabled ? tlsFiles(config, options) : {};
  return Array.from({ length: options.replicas }, (_, ordinal) => ({
    leader_api_addr: `${scheme}://${options.release}-${ordinal}.${options.release}-internal:${tls.port}`,
    ...files,
  }));
}

/** Stands among the hosts for a block that asks the Kubernetes API, or another finder, for them. */
export const AUTO_JOIN = "auto_join";

/** Hosts that the retry_join blocks of a Raft config name, "?" for one filled in later; undefined on other storage. */
export function joinHosts(config: ServerConfig): readonly string[] | undefined {
  const block = storageBlock(config);
  if (block.labels[0]!.toLowerCase() !== "raft") return undefined;
  return [field(block.fields, "retry_join") ?? []].flat().map((one) => {
    if (!isMap(one)) return "?";
    if (field(one, AUTO_JOIN) !== undefined) return AUTO_JOIN;
    const address = field(one, "leader_api_addr");
    return (typeof address === "string" && /^https?:\/\/([^/:]+)/.exec(address)?.[1]) || "?";
  });
}

function tlsFiles(config: ServerConfig, options: RaftConfigOptions): Record<string, string> {
  const tls = listenerTls(config);
  const ca = options.leaderCaCertFile ?? tls.clientCaFile;
  if (ca === undefined) {
    throw refusal(
      "a TLS listener without tls_client_ca_file",
      "the CA by which a follower trusts the leader",
      'set "openbao-migration:tls.caFile" to the CA that signed its certificate, or tls_client_ca_file in the listener',
    );
  }
  const name = options.leaderServerName;
  const leader = { leader_ca_cert_file: ca, ...(name !== undefined && { leader_tls_servername: name }) };
  if (!tls.requireClientCert) return safe(leader);
  if (tls.certFile === undefined || tls.keyFile === undefined) {
    throw refusal(
      "a listener that demands client certificates without tls_cert_file and tls_key_file",
      "both: a follower shows them to the leader",
      "write both paths out in the listener",
    );
  }
  return safe({
    ...leader,
    leader_client_cert_file: tls.certFile,
    leader_client_key_file: tls.keyFile,
  });
}

function safe(files: Record<string, string>): Record<string, string> {
  const bad = Object.entries(files).find(([, path]) => /[\p{Cc}{}$]/u.test(path));
  if (bad === undefined) return files;
  throw refusal(
    `control characters, "$" or braces in the path for ${bad[0]}`,
    "a plain path",
    "rename the file",
  );
}

function checked(options: RaftConfigOptions): void {
  for (const key of ["release", "namespace"] as const) {
    if (!LABEL.test(options[key]))
      throw refusal(`${key} ${JSON.stringify(options[key])}`, "a DNS label", `set ${key}`);
  }
  const { replicas, maxEntrySize, performanceMultiplier: timing } = options;
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 99) {
    throw refusal(`${replicas} replicas`, "a whole number from 1 to 99", "set replicas");
  }
  if (maxEntrySize !== undefined && (!Number.isSafeInteger(maxEntrySize) || maxEntrySize < 1)) {
    throw refusal(`maxEntrySize ${maxEntrySize}`, "a whole number of bytes", "set maxEntrySize");
  }
  if (timing !== undefined && (!Number.isInteger(timing) || timing < 1 || timing > 10)) {
    throw refusal(
      `performanceMultiplier ${timing}`,
      "a whole number from 1 to 10",
      "set performanceMultiplier",
    );
  }
}
