import * as pulumi from "@pulumi/pulumi";
import type { MigrationConfig } from "../config";
import { OUR_MANAGERS } from "./cluster/fieldOwners";
import type { JournalEntry } from "./cluster/journal";
import type { KubeClient, KubeObject } from "./cluster/kubeClient";
import { standaloneConfig } from "./openBaoConfig/targetValues";
import { readRelease } from "./delivery/releaseReader";
import { raftConfig } from "./openBaoConfig/raftConfig";
import { joinTrust } from "./openBaoConfig/retryJoin";
import type { ServerConfig } from "./openBaoConfig/configBlocks";
import { raftTiming } from "./raftKeys";
import { DEFAULT_MAX_ENTRY_BYTES, entryLimit, largestFile, maxEntryBytes } from "./steps/entrySize";
import { wantsRaft, type HelmRelease } from "./steps/world";

/** What the cutover's values layer is made from, read from the live release. */
export interface LiveConfig {
  /**
   * `server.ha.raft.config`; a Pulumi secret when the server config itself holds a credential. Absent for
   * a source on Raft: its values say so already.
   */
  readonly raftConfig?: pulumi.Input<string | object>;
  /** Bytes; the server's own limit unless the file copy saw a larger entry. */
  readonly maxEntryBytes: number;
}

/** Keys of seal and storage stanzas that carry a credential in the open. */
const CREDENTIAL = /\b(token|password|secret_key|secret_id|client_secret|access_key|pin)\b"?\s*[=:]/;

/**
 * Makes the Raft config from the live standalone config, which stays in the release beside it.
 * @throws ServerConfigError when the config is absent or not understood; KubeError when it cannot be read.
 */
export async function readLiveConfig(
  kube: KubeClient,
  config: MigrationConfig,
  journal: readonly JournalEntry[],
): Promise<LiveConfig> {
  const { namespace, release, replicas } = config;
  const helmRelease = await readRelease(kube, config);
  if (config.carry !== "migrate" && wantsRaft(helmRelease) && !hasOurLayer(helmRelease)) {
    return { maxEntryBytes: DEFAULT_MAX_ENTRY_BYTES };
  }
  const source =
    standaloneConfig(helmRelease.spec?.values ?? {}) ?? (await renderedConfig(kube, namespace, release));
  const largest = largestFile(journal);
  const target = raftConfig(source, {
    ...{ namespace, release, replicas },
    ...entryLimit(largest),
    ...raftTiming(config.performanceMultiplier),
    ...joinTrust(config.tls),
  });
  const text = typeof target === "string" ? target : JSON.stringify(target);
  return {
    raftConfig: CREDENTIAL.test(text) ? pulumi.secret(target) : target,
    maxEntryBytes: maxEntryBytes(largest),
  };
}

/** True when the values say Raft because this program wrote so. */
function hasOurLayer(release: HelmRelease): boolean {
  return release.metadata?.managedFields?.some(({ manager }) => manager === OUR_MANAGERS.values) ?? false;
}

/** The chart's own default, where the values do not set one. */
async function renderedConfig(kube: KubeClient, namespace: string, release: string): Promise<ServerConfig> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${release}-config`;
  const map = await kube.get<KubeObject & { data?: Record<string, string> }>(path);
  return map.data?.["extraconfig-from-values.hcl"] ?? "";
}
