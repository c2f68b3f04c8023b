import { configBlocks, field, isMap, topLevel, type ConfigBlock, type ServerConfig } from "./configBlocks";
import { Templated } from "./hclLiteral";
import { ServerConfigError } from "./hclTokens";

/** The storage that the config names; `path` is undefined when it is absent or filled in by Helm or Flux. */
export interface SourceStorage {
  readonly type: string;
  readonly path: string | undefined;
}

/** What a follower needs to know of the API listener. Paths are those inside the pod. */
export interface ListenerTls {
  readonly enabled: boolean;
  /** Port of the API. @default 8200 */
  readonly port: number;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly clientCaFile?: string;
  readonly requireClientCert: boolean;
}

/** A declared audit device. `file_path` is present for type file only. */
export interface AuditDevice {
  readonly type: string;
  readonly path: string;
  readonly file_path?: string;
}

/** Keys of a file storage block that have the same meaning for Raft. */
export const STORAGE_KEYS: readonly string[] = ["path", "redirect_addr", "advertise_addr", "cluster_addr"];

/** @throws ServerConfigError when there is none, or more than one. */
export function sourceStorage(config: ServerConfig): SourceStorage {
  const block = storageBlock(config);
  const path = field(block.fields, "path");
  return { type: block.labels[0]!.toLowerCase(), path: typeof path === "string" ? path : undefined };
}

/** The one storage block. @throws ServerConfigError when there is none, or more than one. */
export function storageBlock(config: ServerConfig): ConfigBlock {
  const blocks = [...configBlocks(config, "storage"), ...configBlocks(config, "backend")];
  const [block, second] = blocks;
  if (block === undefined) {
    throw refusal(
      "no storage block",
      'storage "file" { path = ... }',
      "add the storage that the server runs on",
    );
  }
  if (second !== undefined) {
    const where = blocks.map((each) => each.where).join(" and ");
    throw refusal(`${blocks.length} storage blocks (${where})`, "one", "remove the one that is not in use");
  }
  if (block.labels.length !== 1) {
    throw refusal(
      `a storage block without a type (${block.where})`,
      'storage "file" { ... }',
      "name its type",
    );
  }
  return block;
}

/** The listeners of type tcp. @throws ServerConfigError when a Helm action decides what is in one. */
export function tcpListeners(config: ServerConfig): ConfigBlock[] {
  return configBlocks(config, "listener").filter((block) => {
    if (block.body?.templated === true) {
      throw refusal(
        `a Helm action between the lines of a listener (${block.where})`,
        "plain lines",
        "write it out",
      );
    }
    const type = field(block.fields, "type") ?? block.labels[0];
    return typeof type === "string" && type.toLowerCase() === "tcp";
  });
}

/**
 * Facts of the listener that other nodes reach: on port 8200 and not on loopback where there is a choice.
 * @throws ServerConfigError when there is no tcp listener or its `tls_disable` cannot be known.
 */
export function listenerTls(config: ServerConfig): ListenerTls {
  const fields = apiListener(config).fields;
  const file = (name: string): string | undefined => {
    const value = field(fields, name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const certFile = file("tls_cert_file");
  const keyFile = file("tls_key_file");
  const clientCaFile = file("tls_client_ca_file");
  return {
    enabled: !flag(fields, "tls_disable"),
    port: listenerPort(fields) ?? 8200,
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
    requireClientCert: flag(fields, "tls_require_and_verify_client_cert"),
  };
}

/** The declared audit devices, by the server's rule: fields first, then the two labels. */
export function auditDevices(config: ServerConfig): AuditDevice[] {
  return configBlocks(config, "audit").map(({ fields, labels, where }) => {
    const type = field(fields, "type") ?? (labels.length === 2 ? labels[0] : undefined);
    const path = field(fields, "path") ?? (labels.length === 2 ? labels[1] : undefined);
    if (typeof type !== "string" || typeof path !== "string") {
      throw refusal(`an audit block without type or path (${where})`, "both, as the server does", "add them");
    }
    const options = field(fields, "options");
    const filePath = isMap(options) ? options.file_path : undefined;
    return { type, path, ...(typeof filePath === "string" ? { file_path: filePath } : {}) };
  });
}

/** Refuses what no Raft server starts with, though a file server does. */
export function refuseUnfit(config: ServerConfig): void {
  if (configBlocks(config, "ha_storage").length > 0) {
    throw refusal("ha_storage", "none: Raft brings its own high availability", "remove the ha_storage block");
  }
  // A server with it and a Shamir seal does not start; with another seal each follower makes a cluster of its own.
  if (configBlocks(config, "initialize").length > 0) {
    throw refusal("an initialize stanza", "none: the store is initialised already", "remove it [I27]");
  }
  const top = topLevel(config, "disable_clustering");
  if (top !== undefined && flag({ disable_clustering: top }, "disable_clustering")) {
    throw refusal("disable_clustering = true", "false: Raft needs clustering", "remove disable_clustering");
  }
}

/** Port in a listener's `address`, undefined when it is absent, or filled in later. */
export function listenerPort(fields: Readonly<Record<string, unknown>>): number | undefined {
  const address = field(fields, "address");
  const text = address instanceof Templated ? address.raw : address;
  const port = typeof text === "string" ? /:(\d{1,5})$/.exec(text)?.[1] : undefined;
  return port === undefined ? undefined : Number(port);
}

/** A refusal in its three parts: found, expected, what to do. */
export function refusal(found: string, expected: string, fix: string): ServerConfigError {
  return new ServerConfigError(`OpenBao's server config: found ${found}, expected ${expected}; ${fix}`);
}

function apiListener(config: ServerConfig): ConfigBlock {
  const all = tcpListeners(config);
  const open = all.filter(
    ({ fields }) => !/^"?(127\.|localhost|\[::1\])/.test(String(field(fields, "address"))),
  );
  const chosen = open.find(({ fields }) => listenerPort(fields) === 8200) ?? open[0] ?? all[0];
  if (chosen === undefined)
    throw refusal("no tcp listener", 'listener "tcp" { ... }', "add the API listener");
  return chosen;
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["", "0", "f", "F", "false", "FALSE", "False"]);

/** The server's reading of a switch: booleans, numbers, and Go's words for them. */
function flag(fields: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = field(fields, name) ?? false;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "string" && TRUE.has(value)) return true;
  if (typeof value === "string" && FALSE.has(value)) return false;
  throw refusal(`"${name}" with a value that cannot be known here`, "true or false", `write ${name} out`);
}
