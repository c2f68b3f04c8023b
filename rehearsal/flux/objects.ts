import type { KubeObject } from "../../components/cluster/kubeClient";
import { OWNED_LABEL } from "../source/sourceCluster";
import { MAIN } from "./reviewedRepository";

export const FLUX_NAMESPACE = "flux-system";
/** The Kustomization that applies OpenBao's HelmRelease; it comes from Git itself. */
export const OWNER = "infrastructure-controllers";
/** The Kustomization above it. */
export const PARENT = "flux-system";
export const SOURCE = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLUX_NAMESPACE}/gitrepositories`;
export const KUSTOMIZATIONS = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLUX_NAMESPACE}/kustomizations`;

export interface Placed {
  readonly collection: string;
  readonly object: KubeObject;
}

/**
 * What `flux bootstrap` leaves in a cluster: the source, and the Kustomization that applies all others from it. The
 * parent runs every 30 s, so that it runs many times while the move has its child suspended.
 * @param server address of the rehearsal's Git server.
 */
export function fluxObjects(server: string, repository: string): Placed[] {
  const namespace = FLUX_NAMESPACE;
  const of = (collection: string, apiVersion: string, kind: string, spec: object): Placed => ({
    collection,
    object: { apiVersion, kind, metadata: { name: PARENT, namespace }, spec } as KubeObject,
  });
  return [
    {
      collection: "/api/v1/namespaces",
      object: {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels: { [OWNED_LABEL]: "true" } },
      },
    },
    of(SOURCE, "source.toolkit.fluxcd.io/v1", "GitRepository", {
      // Longer than a rehearsal waits: step resume has to ask for a look itself.
      interval: "10m",
      url: `${server}/${repository}`,
      ref: { branch: MAIN },
    }),
    of(KUSTOMIZATIONS, "kustomize.toolkit.fluxcd.io/v1", "Kustomization", {
      interval: "30s",
      retryInterval: "30s",
      prune: true,
      path: "./k8s/clusters/prod",
      sourceRef: { kind: "GitRepository", name: PARENT },
      patches: [
        { target: { kind: "Kustomization", name: OWNER }, patch: JSON.stringify(ownerPatch(server)) },
      ],
    }),
  ];
}

/** The rehearsal's label on all that comes from Git, and its own chart repository: nothing else differs from Git. */
function ownerPatch(server: string): object[] {
  const mirror = [{ op: "replace", path: "/spec/url", value: `${server}/charts` }];
  return [
    { op: "add", path: "/spec/commonMetadata", value: { labels: { [OWNED_LABEL]: "true" } } },
    {
      op: "add",
      path: "/spec/patches",
      value: [{ target: { kind: "HelmRepository", name: "openbao" }, patch: JSON.stringify(mirror) }],
    },
  ];
}
