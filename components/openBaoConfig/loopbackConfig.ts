import { parsedConfig, type ServerConfig } from "./configBlocks";
import { hclItems } from "./hclBlocks";
import { keyName } from "./hclLiteral";

export interface LoopbackOptions {
  /** Folder with vault.db and raft/, inside the pod. */
  readonly path: string;
  readonly nodeId: string;
  /** host:port of the node as its own Raft configuration has it. */
  readonly address: string;
}

/**
 * The config of a server that nobody but the pod itself reaches, on a copy of a Raft store. The audit blocks are the
 * source's own, byte for byte: the server compares them with what is stored, and would drop a device that is not declared.
 * @throws ServerConfigError for a source config that is not understood.
 */
export function loopbackConfig(source: ServerConfig, options: LoopbackOptions): string {
  const config = parsedConfig(source);
  const own = {
    listener: {
      tcp: { address: "127.0.0.1:8200", cluster_address: "127.0.0.1:8201", tls_disable: true },
    },
    storage: { raft: { path: options.path, node_id: options.nodeId } },
    api_addr: "http://127.0.0.1:8200",
    cluster_addr: `https://${options.address}`,
  };
  if (typeof config !== "string") {
    const audit = Object.entries(config).filter(([key]) => key.toLowerCase() === "audit");
    return JSON.stringify({ ...own, ...Object.fromEntries(audit) });
  }
  const audit = hclItems(config)
    .filter((item) => keyName(config, item.keys[0]!).toLowerCase() === "audit")
    .map((item) => config.slice(item.start, item.end));
  return [...hclText(own), ...audit, ""].join("\n");
}

function hclText(own: object): string[] {
  return Object.entries(own).map(([key, value]) => {
    if (typeof value === "string") return `${key} = ${JSON.stringify(value)}`;
    const [label, fields] = Object.entries(value as Record<string, object>)[0]!;
    const lines = Object.entries(fields).map(([name, one]) => `  ${name} = ${JSON.stringify(one)}`);
    return `${key} "${label}" {\n${lines.join("\n")}\n}`;
  });
}
