import type { KubeClient } from "../cluster/kubeClient";
import { kustomizationPath } from "../steps/pauseRecord";
import { sourcePlace, type Kustomization } from "../steps/fluxObjects";
import { rights, type Right } from "./readAccess";

/**
 * What stages cutover and land need of the Kustomization that applies the HelmRelease: to pause it and watch that it stays so, to ask its source
 * for a look, and to see the variables that it puts in.
 */
export async function ownerRights(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Right[]> {
  const within = (all: Right[], where: string): Right[] =>
    all.map((right) => ({ ...right, namespace: where }));
  // One that cannot be read shows as the right that is missing.
  const owner = await kube.find<Kustomization>(kustomizationPath(namespace, name)).catch(() => undefined);
  const place = owner === undefined ? undefined : sourcePlace(owner, namespace);
  const elsewhere = owner?.spec?.sourceRef?.namespace ?? namespace;
  return [
    ...within(
      rights("cutover", "get list watch patch", "kustomizations", "kustomize.toolkit.fluxcd.io"),
      namespace,
    ),
    ...within(rights("land", "get", "configmaps"), namespace),
    ...(place === undefined
      ? []
      : within(rights("land", "get patch", place.plural, "source.toolkit.fluxcd.io"), elsewhere)),
  ];
}
