export const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
/** The Kustomization whose label the release carries. */
export const OWNER = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps";

/** A HelmRelease that Kustomization `apps` applies and Flux has done with, before the pause. */
export function ownedRelease(spec: object = {}, annotations?: Readonly<Record<string, string>>) {
  return {
    metadata: {
      name: "openbao",
      namespace: "openbao",
      labels: {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
      },
      ...(annotations && { annotations }),
    },
    spec: { values: {}, ...spec },
    status: { observedGeneration: 99, conditions: [{ type: "Ready", status: "True" }] },
  };
}
