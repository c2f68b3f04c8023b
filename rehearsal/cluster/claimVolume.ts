import type { V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";

/** The volume of one of the source's claims. @throws KubeError when one of the two is not there */
export async function claimVolume(kube: KubeClient, claim: string): Promise<V1PersistentVolume> {
  const claims = `/api/v1/namespaces/${SOURCE_NAMESPACE}/persistentvolumeclaims`;
  const { spec } = await kube.get<V1PersistentVolumeClaim & KubeObject>(`${claims}/${claim}`);
  return await kube.get<V1PersistentVolume & KubeObject>(
    `/api/v1/persistentvolumes/${spec?.volumeName ?? ""}`,
  );
}

/** Its folder on this machine. @throws Error for a volume that is none */
export async function volumeFolder(kube: KubeClient, claim: string): Promise<string> {
  const path = (await claimVolume(kube, claim)).spec?.local?.path;
  if (path === undefined) throw new Error(`the volume of ${claim} is no folder of this machine`);
  return path;
}
