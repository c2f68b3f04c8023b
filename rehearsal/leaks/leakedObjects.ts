import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { textsWith } from "./leakScan";

/** What a person sees without rights on Secrets. */
const COLLECTIONS = [
  ["/api/v1", "pods"],
  ["/api/v1", "events"],
  ["/api/v1", "configmaps"],
  ["/api/v1", "services"],
  ["/api/v1", "persistentvolumeclaims"],
  ["/apis/apps/v1", "statefulsets"],
  ["/apis/apps/v1", "controllerrevisions"],
  ["/apis/batch/v1", "jobs"],
  ["/apis/batch/v1", "cronjobs"],
  ["/apis/coordination.k8s.io/v1", "leases"],
  ["/apis/helm.toolkit.fluxcd.io/v2", "helmreleases"],
] as const;

/** Names of the objects of a namespace that hold one of the forms; a Secret may, and is not looked at. */
export async function objectsWith(
  secrets: readonly string[],
  kube: KubeClient,
  namespace: string,
): Promise<string[]> {
  const found = await Promise.all(
    COLLECTIONS.map(async ([group, plural]) => {
      const path = `${group}/namespaces/${namespace}/${plural}`;
      const list = await kube.find<KubeObject & { items?: KubeObject[] }>(path);
      const texts = (list?.items ?? []).map((item) => ({
        where: `${plural}/${item.metadata?.name}`,
        text: JSON.stringify(item),
      }));
      return textsWith(secrets, texts);
    }),
  );
  return found.flat();
}
