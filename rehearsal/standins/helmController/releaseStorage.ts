import { gunzipSync, gzipSync } from "node:zlib";
import type { CoreV1Api, V1Secret } from "@kubernetes/client-node";
import { valuesDigest } from "./composeValues";
import type { Snapshot } from "./helmRelease";

/** What Helm's Secret storage holds of one revision of a release; the fields that this controller reads. */
export interface StoredRelease {
  name: string;
  namespace: string;
  version: number;
  info: {
    status: string;
    first_deployed: string;
    last_deployed: string;
    deleted?: string;
    description?: string;
  };
  chart: { metadata: { name: string; version: string; appVersion?: string } };
  config?: Record<string, unknown>;
  manifest: string;
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** Decodes Helm's payload: base64 (beside that of the Secret) over gzip over JSON. */
export function decodeRelease(payload: string): StoredRelease {
  const packed = Buffer.from(Buffer.from(payload, "base64").toString("latin1"), "base64");
  const json = packed.subarray(0, 2).equals(gzipMagic) ? gunzipSync(packed) : packed;
  return JSON.parse(json.toString("utf8")) as StoredRelease;
}

/** The inverse of decodeRelease. */
export function encodeRelease(release: StoredRelease): string {
  const packed = gzipSync(Buffer.from(JSON.stringify(release)), { level: 9 });
  return Buffer.from(packed.toString("base64"), "latin1").toString("base64");
}

/**
 * The history entry of a stored revision. `action` says what made it (install, upgrade or rollback); `configDigest` is
 * that of the values it was made from, by default of what Helm stored.
 */
export function snapshotOf(stored: StoredRelease, action?: string, configDigest?: string): Snapshot {
  const { info, chart } = stored;
  return {
    apiVersion: "v2",
    ...(action ? { action } : {}),
    name: stored.name,
    namespace: stored.namespace,
    version: stored.version,
    status: info.status,
    digest: valuesDigest({ ...stored, info: { ...info, status: statusForDigest(info.status) } }),
    configDigest: configDigest ?? valuesDigest(stored.config ?? {}),
    chartName: chart.metadata.name,
    chartVersion: chart.metadata.version,
    ...(chart.metadata.appVersion ? { appVersion: chart.metadata.appVersion } : {}),
    firstDeployed: wholeSecond(info.first_deployed),
    lastDeployed: wholeSecond(info.last_deployed),
    ...(info.deleted ? { deleted: wholeSecond(info.deleted) } : {}),
  };
}

// A later revision turns "deployed" into "superseded"; that is no mutation by a stranger.
function statusForDigest(status: string): string {
  return status === "superseded" ? "deployed" : status;
}

function wholeSecond(time: string): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Helm's release Secrets of one release, through the API server. */
export class ReleaseStorage {
  constructor(
    private readonly core: CoreV1Api,
    private readonly namespace: string,
    private readonly name: string,
  ) {}

  /** All stored revisions, the newest first. */
  async revisions(): Promise<StoredRelease[]> {
    const secrets = await this.secrets();
    return secrets
      .flatMap((secret) => (secret.data?.["release"] ? [decodeRelease(secret.data["release"])] : []))
      .sort((a, b) => b.version - a.version);
  }

  /** Marks a revision as failed that a killed Helm left pending, so that the next action is not refused. */
  async unlock(version: number): Promise<void> {
    const secret = (await this.secrets()).find(
      ({ metadata }) => metadata?.labels?.["version"] === String(version),
    );
    const payload = secret?.data?.["release"];
    if (!secret?.metadata?.name || !payload) return;
    const stored = decodeRelease(payload);
    stored.info.description = `Release unlocked from stale '${stored.info.status}' state`;
    stored.info.status = "failed";
    await this.core.replaceNamespacedSecret({
      name: secret.metadata.name,
      namespace: this.namespace,
      body: {
        ...secret,
        metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, status: "failed" } },
        data: { ...secret.data, release: encodeRelease(stored) },
      },
    });
  }

  private async secrets(): Promise<V1Secret[]> {
    const list = await this.core.listNamespacedSecret({
      namespace: this.namespace,
      labelSelector: `owner=helm,name=${this.name}`,
    });
    return list.items;
  }
}
