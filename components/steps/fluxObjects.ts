import type { KubeObject } from "../cluster/kubeClient";
import type { Suspendable } from "./pauseRecord";

/** Flux's Kustomization, as far as landing looks at it. */
export interface Kustomization extends Suspendable {
  spec?: {
    suspend?: boolean;
    interval?: string;
    timeout?: string;
    sourceRef?: { kind?: string; name?: string; namespace?: string };
    postBuild?: {
      substitute?: Record<string, string>;
      substituteFrom?: { kind?: string; name?: string }[];
    };
  };
  status?: {
    lastAppliedRevision?: string;
    lastHandledReconcileAt?: string;
    conditions?: Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

/** What a Kustomization takes its files from. */
export interface FluxSource extends KubeObject {
  spec?: { suspend?: boolean };
  status?: {
    lastHandledReconcileAt?: string;
    artifact?: { revision?: string; metadata?: Record<string, string> };
  };
}

const PLURALS: Readonly<Record<string, string>> = {
  GitRepository: "gitrepositories",
  OCIRepository: "ocirepositories",
  Bucket: "buckets",
  ExternalArtifact: "externalartifacts",
};
/** Where `flux push artifact` notes the commit that an artifact was made from. */
const ORIGIN = "org.opencontainers.image.revision";

/** Plural and API path of the Kustomization's source, or undefined for a kind that is not known here. */
export function sourcePlace(
  owner: Kustomization,
  namespace: string,
): { readonly plural: string; readonly path: string } | undefined {
  const { kind = "", name, namespace: elsewhere = namespace } = owner.spec?.sourceRef ?? {};
  const plural = PLURALS[kind];
  if (plural === undefined || name === undefined) return undefined;
  return { plural, path: `/apis/source.toolkit.fluxcd.io/v1/namespaces/${elsewhere}/${plural}/${name}` };
}

/**
 * Pure: the Git commit that a source holds, or undefined where its revision names none. The digest of an OCI artifact
 * is as long as a commit's and is none: there only the noted origin counts.
 */
export function commitOf(source: FluxSource, plural: string): string | undefined {
  const { revision, metadata } = source.status?.artifact ?? {};
  const said = plural === "gitrepositories" ? revision : metadata?.[ORIGIN];
  return /(?:^|[@:/])([0-9a-f]{64}|[0-9a-f]{40})$/.exec(said ?? "")?.[1];
}

/**
 * Pure: whether the Kustomization has applied its objects since its spec last changed.
 * Health checks come after the apply, and may wait for a HelmRelease that is still suspended.
 */
export function appliedSince(owner: Kustomization): boolean {
  const generation = owner.metadata?.generation ?? 0;
  const of = (type: string) => {
    const found = owner.status?.conditions?.find((one) => one.type === type);
    return (found?.observedGeneration ?? -1) >= generation ? found : undefined;
  };
  const ready = of("Ready");
  return ready?.status === "True" || ready?.reason === "HealthCheckFailed" || of("Healthy") !== undefined;
}

/**
 * Pure: whether a run of the Kustomization is under way. One that failed stays Reconciling until its retry, which a
 * suspended one never makes: that is idle, and so is one that no controller has said anything about.
 */
export function isAtWork(owner: Kustomization): boolean {
  const found = owner.status?.conditions?.find(({ type }) => type === "Reconciling");
  return found?.status === "True" && found.reason !== "ProgressingWithRetry";
}

/** Pure: how long a run of the Kustomization may take, in seconds: its timeout, else its interval; 0 when it says neither. */
export function runSeconds(owner: Kustomization): number {
  const text = owner.spec?.timeout ?? owner.spec?.interval ?? "";
  const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 0), 0);
}

/** What the Kustomization says about itself, for an error. */
export function readyWords(owner: Kustomization): string {
  const ready = owner.status?.conditions?.find((one) => one.type === "Ready");
  return ready === undefined ? "nothing yet" : `${ready.reason}: ${ready.message ?? ""}`.slice(0, 300);
}

/**
 * Pure: the value that a ConfigMap among the Kustomization's variables gives; the last that has it counts, and one that
 * is written in the Kustomization itself counts most. Secrets are not read.
 */
export function variableSaid(
  owner: Kustomization,
  name: string,
  configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>,
): string | undefined {
  const { substitute, substituteFrom = [] } = owner.spec?.postBuild ?? {};
  const own = substitute?.[name];
  if (own !== undefined) return own;
  const said = substituteFrom
    .filter(({ kind }) => kind === "ConfigMap")
    .map((one) => configMaps.get(one.name ?? "")?.[name]);
  return said.findLast((value) => value !== undefined);
}
