import { createHash } from "node:crypto";
import type { Condition } from "./conditions";

/** The group, version and plural of Flux's HelmRelease. */
export const helmReleaseApi = {
  group: "helm.toolkit.fluxcd.io",
  version: "v2",
  plural: "helmreleases",
} as const;

/** The finalizer by which Flux holds a HelmRelease until its release is uninstalled. */
export const finalizer = "finalizers.fluxcd.io";

export interface Remediation {
  retries?: number;
  strategy?: "rollback" | "uninstall";
  remediateLastFailure?: boolean;
}

export interface ActionSpec {
  timeout?: string;
  disableWait?: boolean;
  disableWaitForJobs?: boolean;
  disableHooks?: boolean;
  disableTakeOwnership?: boolean;
  disableSchemaValidation?: boolean;
  disableOpenAPIValidation?: boolean;
  createNamespace?: boolean;
  cleanupOnFail?: boolean;
  force?: boolean;
  preserveValues?: boolean;
  keepHistory?: boolean;
  deletionPropagation?: "background" | "foreground" | "orphan";
  crds?: "Skip" | "Create" | "CreateReplace";
  remediation?: Remediation;
}

export interface ValuesReference {
  kind: "Secret" | "ConfigMap";
  name: string;
  valuesKey?: string;
  targetPath?: string;
  optional?: boolean;
  literal?: boolean;
}

export interface IgnoreRule {
  paths: string[];
  target?: { group?: string; version?: string; kind?: string; name?: string; namespace?: string };
}

export interface HelmReleaseSpec {
  chart?: {
    spec: { chart: string; version?: string; sourceRef: { kind: string; name: string; namespace?: string } };
  };
  chartRef?: { kind: string; name: string };
  interval: string;
  timeout?: string;
  suspend?: boolean;
  releaseName?: string;
  targetNamespace?: string;
  storageNamespace?: string;
  maxHistory?: number;
  dependsOn?: { name: string; namespace?: string }[];
  values?: Record<string, unknown>;
  valuesFrom?: ValuesReference[];
  driftDetection?: { mode?: "enabled" | "warn" | "disabled"; ignore?: IgnoreRule[] };
  install?: ActionSpec;
  upgrade?: ActionSpec;
  rollback?: ActionSpec;
  uninstall?: ActionSpec;
}

/** One entry of `status.history`: what is known of a stored revision of the release. */
export interface Snapshot {
  apiVersion?: string;
  action?: string;
  name: string;
  namespace: string;
  version: number;
  status: string;
  digest: string;
  configDigest: string;
  chartName: string;
  chartVersion: string;
  appVersion?: string;
  firstDeployed: string;
  lastDeployed: string;
  deleted?: string;
}

export interface HelmReleaseStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  history?: Snapshot[];
  storageNamespace?: string;
  failures?: number;
  installFailures?: number;
  upgradeFailures?: number;
  lastAttemptedGeneration?: number;
  lastAttemptedRevision?: string;
  lastAttemptedConfigDigest?: string;
  lastAttemptedReleaseAction?: "install" | "upgrade";
  lastAttemptedReleaseActionDuration?: string;
  lastHandledReconcileAt?: string;
  lastHandledForceAt?: string;
  lastHandledResetAt?: string;
}

export interface HelmRelease {
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation: number;
    resourceVersion: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    annotations?: Record<string, string>;
  };
  spec: HelmReleaseSpec;
  status?: HelmReleaseStatus;
}

const longestReleaseName = 53;

/** The Helm release name: as given, else target namespace and name, shortened as Flux does. */
export function releaseName(release: HelmRelease): string {
  const { releaseName: given, targetNamespace } = release.spec;
  const name =
    given ?? (targetNamespace ? `${targetNamespace}-${release.metadata.name}` : release.metadata.name);
  if (name.length <= longestReleaseName) return name;
  return `${name.slice(0, 40)}-${createHash("sha256").update(name).digest("hex").slice(0, 12)}`;
}

/** The namespace that the release is installed into, by default the HelmRelease's own. */
export function releaseNamespace(release: HelmRelease): string {
  return release.spec.targetNamespace ?? release.metadata.namespace;
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go-style duration such as `1h30m`. @throws when the text is not one. */
export function durationMs(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new Error(`found duration "${text}", expected numbers with units such as "10m" or "1h30m"`);
  }
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ""] ?? 0),
    0,
  );
}

/** The time an action may take in milliseconds: its own timeout, else the release's, else 5 minutes. */
export function actionTimeoutMs(spec: HelmReleaseSpec, action: ActionSpec | undefined): number {
  return durationMs(action?.timeout ?? spec.timeout ?? "5m");
}

/** The remediation rules that apply to the last attempted action; none before a first attempt. */
export function activeRemediation(
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
): ActiveRemediation | undefined {
  const action = status.lastAttemptedReleaseAction;
  if (!action) return undefined;
  return remediationFor(action, spec, status);
}

export interface ActiveRemediation {
  strategy: "rollback" | "uninstall";
  failures: number;
  exhausted: boolean;
  remediateLastFailure: boolean;
}

/** Flux's rules: install remediates by uninstall; the last upgrade failure is remediated once retries are given. */
export function remediationFor(
  action: "install" | "upgrade",
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
): ActiveRemediation {
  const given = spec[action]?.remediation ?? {};
  const retries = given.retries ?? 0;
  const failures = (action === "install" ? status.installFailures : status.upgradeFailures) ?? 0;
  return {
    strategy: action === "install" ? "uninstall" : (given.strategy ?? "rollback"),
    failures,
    exhausted: retries >= 0 && failures > retries,
    remediateLastFailure: given.remediateLastFailure ?? (action === "upgrade" && retries > 0),
  };
}
