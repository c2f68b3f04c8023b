import { raftConfig } from "../openBaoConfig/raftConfig";
import { joinHosts, joinTrust } from "../openBaoConfig/retryJoin";
import type { TlsConfig } from "../platformConfig";
import { auditDevices, listenerTls, sourceStorage } from "../openBaoConfig/serverConfig";
import type { ServerConfig } from "../openBaoConfig/configBlocks";
import { at, textAt } from "./fields";
import { clean } from "./observed";

/** Facts of the server's config; the text itself stays out, since a seal or storage block can hold a credential. */
export interface ServerConfigView {
  readonly storage?: string;
  readonly tls?: boolean;
  /** True when the listener takes only clients that show a certificate. */
  readonly clientCerts?: boolean;
  /** Declared audit devices, as type and path. */
  readonly auditDevices: readonly string[];
  /** Hosts that retry_join names where the rendered config is on Raft. */
  readonly joins?: readonly string[];
  /** Why it cannot be turned into a Raft config. */
  readonly fault?: string;
}

const MAX_CONFIG = 1_000_000;

/** The standalone config of the values, else of the rendered ConfigMap; undefined when neither is there. */
export function serverConfigView(
  releaseObject: unknown,
  configMap: unknown,
  options: {
    readonly release: string;
    readonly namespace: string;
    readonly replicas: number;
    readonly tls?: TlsConfig | undefined;
  },
): ServerConfigView | undefined {
  const source = sourceOf(at(releaseObject, "spec", "values", "server", "standalone", "config"), configMap);
  if (source === undefined) return undefined;
  const fault = attempt(() => void raftConfig(source, { ...options, ...joinTrust(options.tls) })).fault;
  return {
    storage: attempt(() => sourceStorage(source).type.slice(0, 100)).value,
    tls: attempt(() => listenerTls(source).enabled).value,
    clientCerts: attempt(() => listenerTls(source).requireClientCert).value,
    auditDevices: (attempt(() => auditDevices(source)).value ?? []).map((one) =>
      clean(`${one.type} ${one.path}`),
    ),
    joins: attempt(() =>
      joinHosts(renderedText(configMap) ?? "")
        ?.slice(0, 20)
        .map((one) => clean(one, 260)),
    ).value,
    ...(fault !== undefined && { fault }),
  };
}

function sourceOf(value: unknown, configMap: unknown): ServerConfig | undefined {
  if (typeof value === "string" && value.trim() !== "") return value.slice(0, MAX_CONFIG);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as ServerConfig;
  return renderedText(configMap) ?? (textAt(configMap, "metadata", "name") === undefined ? undefined : "");
}

function renderedText(configMap: unknown): string | undefined {
  const text = at(configMap, "data", "extraconfig-from-values.hcl");
  return typeof text === "string" ? text.slice(0, MAX_CONFIG) : undefined;
}

function attempt<T>(read: () => T): { readonly value?: T; readonly fault?: string } {
  try {
    return { value: read() };
  } catch (error) {
    const message = error instanceof Error ? error.message : "not understood";
    // What is quoted may be the very line that holds a credential.
    return { fault: clean(message.replace(/"(?:[^"\\]|\\.)*"/g, '"..."'), 300) };
  }
}
