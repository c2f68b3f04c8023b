import { gunzipSync, gzipSync } from "node:zlib";
import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import { record } from "../cluster/openBaoStatus";

/** Label of a revision that this program made. Helm hands labels on, so its value names the one revision it is for. */
export const REVISION_LABEL = "openbao-raft-migration";

const MAX_BYTES = 64 << 20;

/** A revision of a Helm release without what it holds: from the labels of its Secret. */
export interface HelmRevision {
  readonly revision: number;
  /** Helm's word: deployed, superseded, failed, pending-upgrade and others. */
  readonly status: string;
  /** True when this program made it. */
  readonly ours: boolean;
  readonly secret: ReleaseSecret;
}

interface ReleaseSecret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** What Helm recorded of one revision, as far as this program looks at it. Values can hold secrets. */
export interface HelmRecord {
  /** The values that the user gave. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The chart as it was installed; without its subcharts, which Helm does not record. */
  readonly chart: Readonly<Record<string, unknown>>;
  /** What was applied, as YAML. */
  readonly manifest: string;
}

export interface HelmName {
  readonly namespace: string;
  readonly release: string;
}

/**
 * The revisions of a release, oldest first; none when Helm knows no such release.
 * @param all with the superseded ones too. @default only what counts now
 */
export async function helmRevisions(
  kube: KubeClient,
  { namespace, release }: HelmName,
  all = false,
): Promise<HelmRevision[]> {
  const selector = `owner=helm,name=${release}${all ? "" : ",status!=superseded"}`;
  const secrets = await kube.list<ReleaseSecret>(secretsPath(namespace), { labelSelector: selector });
  return secrets
    .flatMap((secret) => {
      const labels = secret.metadata?.labels ?? {};
      const revision = Number(labels["version"]);
      if (secret.type !== "helm.sh/release.v1" || !Number.isInteger(revision)) return [];
      const ours = labels[REVISION_LABEL] === labelFor(revision);
      return [{ revision, status: labels["status"] ?? "unknown", ours, secret }];
    })
    .sort((a, b) => a.revision - b.revision);
}

export function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}

export function labelFor(revision: number): string {
  return `v${revision}`;
}

export function isPending({ status }: Pick<HelmRevision, "status">): boolean {
  return status.startsWith("pending-") || status === "uninstalling";
}

/** The revision whose values count: the newest that is deployed, as for Helm itself; else the newest. */
export function deployedOf(revisions: readonly HelmRevision[]): HelmRevision | undefined {
  return revisions.findLast(({ status }) => status === "deployed") ?? revisions.at(-1);
}

/** @throws Error that repeats nothing of the record, when it is not understood. */
export function helmRecord({ secret }: HelmRevision): HelmRecord {
  const read = decoded(secret);
  const { config, chart, manifest } = read;
  return {
    config: record(config),
    chart: record(chart),
    manifest: typeof manifest === "string" ? manifest : "",
  };
}

/** The Secret of a revision with another status, as Helm itself would write it. */
export function withStatus({ secret, revision }: HelmRevision, status: string, why: string): ReleaseSecret {
  const read = decoded(secret);
  const info = { ...record(read["info"]), status, description: why };
  const text = gzipSync(JSON.stringify({ ...read, info })).toString("base64");
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      labels: { ...secret.metadata?.labels, status, version: String(revision) },
    },
    data: { ...secret.data, release: Buffer.from(text).toString("base64") },
  };
}

/** Kubernetes' base64, around Helm's base64, around gzip, around JSON. */
function decoded(secret: ReleaseSecret): Record<string, unknown> {
  try {
    const helm = Buffer.from(secret.data?.["release"] ?? "", "base64").toString("latin1");
    const packed = Buffer.from(helm, "base64");
    const text = packed[0] === 0x1f ? gunzipSync(packed, { maxOutputLength: MAX_BYTES }) : packed;
    return record(JSON.parse(text.toString("utf8")));
  } catch {
    // The parser's own words would quote the record.
    throw new Error(`Secret "${secret.metadata?.name}" is not a Helm release that can be read`);
  }
}
