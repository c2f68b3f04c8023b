import { KubeError, type KubeClient } from "../cluster/kubeClient";
import type { HelmRelease } from "../steps/world";
import { heldPath, heldRelease, REVISION_ANNOTATION } from "./heldRelease";
import { helmRevisions } from "./helmRecord";

/** Who applies the chart: Flux by a HelmRelease, or a person or pipeline by Helm itself. */
export const DELIVERIES = ["flux", "helm"] as const;

/** Which release, and who delivers it. */
export interface ReleaseName {
  readonly namespace: string;
  readonly release: string;
  /** @default "flux" */
  readonly delivery?: (typeof DELIVERIES)[number];
}

export function releasesPath(namespace: string): string {
  return `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${namespace}/helmreleases`;
}

/** API path of the object that carries the marks of the pause: the HelmRelease, or this program's own Secret. */
export function releasePath({ namespace, release, delivery }: ReleaseName): string {
  return delivery === "helm" ? heldPath(namespace) : `${releasesPath(namespace)}/${release}`;
}

/** The release with the values that are asked for, whoever delivers it. */
export function findRelease(kube: KubeClient, name: ReleaseName): Promise<HelmRelease | undefined> {
  return name.delivery === "helm" ? heldRelease(kube, name) : kube.find<HelmRelease>(releasePath(name));
}

/** @throws KubeError when it is missing. */
export async function readRelease(kube: KubeClient, name: ReleaseName): Promise<HelmRelease> {
  if (name.delivery !== "helm") return kube.get<HelmRelease>(releasePath(name));
  const found = await heldRelease(kube, name);
  if (found !== undefined) return found;
  throw new KubeError(`no Helm release "${name.release}" in namespace "${name.namespace}"`, 404, "NotFound");
}

/**
 * Revisions that somebody else made while this program holds the release, in words; undefined when there are none.
 * Helm has nothing to suspend, so another upgrade can only be seen afterwards (hazard F53).
 */
export async function foreignRevisions(kube: KubeClient, name: ReleaseName): Promise<string | undefined> {
  if (name.delivery !== "helm") return undefined;
  const release = await readRelease(kube, name);
  const since = Number(release.metadata?.annotations?.[REVISION_ANNOTATION] ?? Number.NaN);
  if (Number.isNaN(since)) return undefined;
  const others = (await helmRevisions(kube, name, true)).filter(
    ({ revision, ours }) => revision > since && !ours,
  );
  if (others.length === 0) return undefined;
  return others.map(({ revision, status }) => `${revision} (${status})`).join(", ");
}
