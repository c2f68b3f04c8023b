import { KubeError, type KubeClient, type KubeObject } from "../../components/cluster/kubeClient";
import { OWNED_LABEL, SOURCE_NAMESPACE } from "../source/sourceCluster";
import { FLUX_NAMESPACE, KUSTOMIZATIONS, SOURCE } from "./objects";

const GONE_SECONDS = 60;
const REPOSITORIES = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${SOURCE_NAMESPACE}/helmrepositories`;

/**
 * Removes what a rehearsal under Flux left: its controllers do not run, so their finalizers are taken off, and nothing
 * is pruned. Nothing happens where there is none, nor to a Flux that is not the rehearsal's.
 */
export async function removeFlux(kube: KubeClient): Promise<void> {
  const namespace = await kube.find(`/api/v1/namespaces/${FLUX_NAMESPACE}`);
  if (namespace?.metadata?.labels?.[OWNED_LABEL] === undefined) return;
  for (const collection of [KUSTOMIZATIONS, SOURCE]) {
    for (const object of await listed(kube, collection)) {
      await removeAtOnce(kube, `${collection}/${object.metadata?.name}`);
    }
  }
  for (const object of await listed(kube, REPOSITORIES))
    await letGo(kube, `${REPOSITORIES}/${object.metadata?.name}`);
  await kube.remove(`/api/v1/namespaces/${FLUX_NAMESPACE}`);
  await kube.waitFor("/api/v1/namespaces", FLUX_NAMESPACE, (seen) => seen === undefined, {
    what: `namespace ${FLUX_NAMESPACE} to be gone`,
    timeoutSeconds: GONE_SECONDS,
  });
}

/** Removes an object whose controller does not run and would hold it by its finalizer; gone is what is wanted. */
export async function removeAtOnce(kube: KubeClient, path: string): Promise<void> {
  try {
    await kube.remove(path);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  }
  await letGo(kube, path);
}

async function listed(kube: KubeClient, collection: string): Promise<KubeObject[]> {
  const answer = await kube.find<KubeObject & { items?: KubeObject[] }>(collection);
  return answer?.items ?? [];
}

/** Gone meanwhile is what is wanted. */
async function letGo(kube: KubeClient, path: string): Promise<void> {
  try {
    await kube.mergePatch(path, { metadata: { finalizers: null } });
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  }
}
