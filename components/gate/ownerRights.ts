import type { KubeClient } from "../cluster/kubeClient";
import { kustomizationPath } from "../steps/pauseRecord";
import { sourcePlace, type Kustomization } from "../steps/fluxObjects";
import { rights, type Right } from "./readAccess";

/** In the namespace of the Kustomization that applies the HelmRelease. */
export const OWNER_RIGHTS: readonly Right[] = [
  ...rights("cutover", "get list watch patch", "kustomizations", "kustomize.toolkit.fluxcd.io"),
  ...rights("land", "get", "configmaps"),
];

/** In the namespace of its source. @param plural such as "gitrepositories" */
export function sourceRights(plural: string): Right[] {
  return rights("land", "get patch", plural, "source.toolkit.fluxcd.io");
}

/**
 * What stages cutover and land need of the Kustomization that applies the HelmRelease: to pause it and watch that it stays so, to ask its source
 * for a look, and to see the variables that it puts in.
 */
export async function ownerRights(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Right[]> {
  const within = (all: readonly Right[], where: string): Right[] =>
    all.map((right) => ({ ...right, namespace: where }));
  // One that cannot be read shows as the right that is missing.
  const owner = await kube.find<Kustomization>(kustomizationPath(namespace, name)).catch(() => undefined);
  const place = owner === undefined ? undefined : sourcePlace(owner, namespace);
  const elsewhere = owner?.spec?.sourceRef?.namespace ?? namespace;
  return [
    ...within(OWNER_RIGHTS, namespace),
    ...(place === undefined ? [] : within(sourceRights(place.plural), elsewhere)),
  ];
}
