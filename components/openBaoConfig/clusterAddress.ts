import { field, type ConfigBlock, type ServerConfig } from "./configBlocks";
import { Templated } from "./hclLiteral";
import { listenerPort, refusal, tcpListeners } from "./serverConfig";

/** The server's default when a listener has no address. */
const DEFAULT_ADDRESS = "127.0.0.1:8200";

/**
 * The tcp listeners that get a `cluster_address`, with its text. Each on port 8200 does; where none is, the
 * first does: BAO_CLUSTER_ADDR and the headless Service say 8201. The others keep the server's own default,
 * port + 1, so that no two listeners share an address.
 */
export function clusterListeners(config: ServerConfig): { block: ConfigBlock; address: string }[] {
  const all = tcpListeners(config);
  const onApiPort = all.filter(({ fields }) => (listenerPort(fields) ?? 8200) === 8200);
  const declared = all.some(({ fields }) => field(fields, "cluster_address") !== undefined);
  const chosen = onApiPort.length > 0 ? onApiPort : declared ? [] : all.slice(0, 1);
  return chosen
    .filter(({ fields }) => field(fields, "cluster_address") === undefined)
    .map((block) => ({ block, address: clusterAddress(block) }));
}

function clusterAddress(block: ConfigBlock): string {
  const value = field(block.fields, "address") ?? DEFAULT_ADDRESS;
  const text = value instanceof Templated ? value.raw : value;
  const host = typeof text === "string" ? /^(.*):\d{1,5}$/.exec(text)?.[1] : undefined;
  // Templated text is copied into the same kind of string, so it must not end that string.
  if (host === undefined || /[\p{Cc}\\"]/u.test(host)) {
    throw refusal(
      `a listener whose address has no readable host and port (${block.where})`,
      '"HOST:PORT"',
      "write its cluster_address out (the host of address, port 8201)",
    );
  }
  return `${host}:8201`;
}
