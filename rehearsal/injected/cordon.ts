import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { KubeError, type KubeClient, type KubeObject } from "../../components/cluster/kubeClient";

/** On a node that a fault has cordoned: one that a person cordoned is left so. */
const MARK = "openbao-raft-migration/cordoned-by-fault";

/** As `kubectl drain` does: no new pods, and each of the namespace's pods is asked to go, as far as budgets let it. */
export async function cordonAndEvict(kube: KubeClient, node: string, namespace: string): Promise<void> {
  await kube.mergePatch(`/api/v1/nodes/${node}`, {
    metadata: { annotations: { [MARK]: "true" } },
    spec: { unschedulable: true },
  });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const pods = await kube.list<V1Pod & KubeObject>(path, { fieldSelector: `spec.nodeName=${node}` });
  for (const { metadata } of pods) {
    const name = metadata?.name ?? "";
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
    await kube.create(`${path}/${name}/eviction`, eviction).catch((error: unknown) => {
      // Gone already, or held by its budget.
      if (!(error instanceof KubeError) || ![404, 429].includes(error.status)) throw error;
    });
  }
}

export async function uncordonOurs(kube: KubeClient): Promise<void> {
  for (const { metadata } of await kube.list<V1Node & KubeObject>("/api/v1/nodes"))
    if (metadata?.annotations?.[MARK] !== undefined)
      await kube.mergePatch(`/api/v1/nodes/${metadata.name}`, {
        metadata: { annotations: { [MARK]: null } },
        spec: { unschedulable: null },
      });
}
