import { setTimeout as delay } from "node:timers/promises";
import { REHEARSAL_LABEL } from "../../components/evidence/rehearsalLabel";
import { KubeError, type KubeClient, type KubeObject } from "../../components/cluster/kubeClient";
import { podsPath, scale } from "../../components/steps/world";

export const SOURCE_NAMESPACE = "openbao";
/** Marks what the rehearsal made: nothing else is ever removed by it. */
export const OWNED_LABEL = REHEARSAL_LABEL;

const GONE_SECONDS = 240;
const BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/openbao-server-binding";

const PLURALS: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  Secret: "secrets",
  NetworkPolicy: "networkpolicies",
  HelmRepository: "helmrepositories",
  HelmRelease: "helmreleases",
};

/** The API path of the collection that `object` belongs to. @throws Error for a kind that the source does not use. */
export function collectionOf(object: KubeObject): string {
  const plural = PLURALS[object.kind ?? ""];
  if (plural === undefined) throw new Error(`no API path is known for kind "${object.kind}"; this is a bug`);
  const group = object.apiVersion === "v1" ? "/api/v1" : `/apis/${object.apiVersion}`;
  const namespace = object.metadata?.namespace;
  return namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;
}

/**
 * Deletes the given namespaces with all that is in them, the release first, and waits until their volumes are gone.
 * @throws Error for a namespace that the rehearsal did not make, and when something is still there after 240 s.
 */
export async function removeNamespaces(kube: KubeClient, names: readonly string[]): Promise<void> {
  for (const name of names) await refuseForeign(kube, name);
  for (const name of names) await endPods(kube, name);
  await removeRelease(kube);
  for (const name of names) await removeIfThere(kube, `/api/v1/namespaces/${name}`);
  for (const name of names) {
    await kube.waitFor("/api/v1/namespaces", name, (seen) => seen === undefined, {
      what: `namespace ${name} to be gone`,
      timeoutSeconds: GONE_SECONDS,
    });
  }
  await volumesGone(kube);
}

/** @throws Error when `name` exists and was not made by the rehearsal. */
export async function refuseForeign(kube: KubeClient, name: string): Promise<KubeObject | undefined> {
  const namespace = await kube.find(`/api/v1/namespaces/${name}`);
  if (namespace !== undefined && namespace.metadata?.labels?.[OWNED_LABEL] === undefined) {
    throw new Error(
      `namespace "${name}" exists without the label "${OWNED_LABEL}", so it is not the rehearsal's; ` +
        "expected a cluster of its own: name another one by KUBECONFIG or --context",
    );
  }
  return namespace;
}

/** Nothing of them is kept: they need no time to say goodbye, which with a hook that waits are minutes. */
async function endPods(kube: KubeClient, namespace: string): Promise<void> {
  // The StatefulSet would only make them anew.
  if (namespace === SOURCE_NAMESPACE) await scale(kube, namespace, "openbao", 0).catch(() => undefined);
  for (const { metadata } of await kube.list<KubeObject>(podsPath(namespace)))
    await kube
      .remove(`${podsPath(namespace)}/${metadata?.name}`, { gracePeriodSeconds: 1 })
      .catch(() => undefined);
}

/** The helm-controller holds the release by a finalizer, and needs the namespace's objects while it uninstalls. */
async function removeRelease(kube: KubeClient): Promise<void> {
  const releases = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases`;
  if ((await kube.find(`${releases}/openbao`)) !== undefined) {
    await removeIfThere(kube, `${releases}/openbao`);
    await kube.waitFor(releases, "openbao", (seen) => seen === undefined, {
      what: "HelmRelease openbao to be uninstalled (is the helm-controller running?)",
      timeoutSeconds: GONE_SECONDS,
    });
  }
  // A suspended release is let go without an uninstall, and this one object is in no namespace.
  const binding = await kube.find(BINDING);
  if (binding?.metadata?.annotations?.["meta.helm.sh/release-namespace"] === SOURCE_NAMESPACE) {
    await removeIfThere(kube, BINDING);
  }
}

async function volumesGone(kube: KubeClient): Promise<void> {
  type Volume = KubeObject & { spec?: { claimRef?: { namespace?: string } } };
  const end = Date.now() + GONE_SECONDS * 1000;
  for (;;) {
    const volumes = await kube.list<Volume>("/api/v1/persistentvolumes");
    const left = volumes.filter(({ spec }) => spec?.claimRef?.namespace === SOURCE_NAMESPACE);
    if (left.length === 0) return;
    if (Date.now() > end) {
      const names = left.map(({ metadata }) => metadata?.name).join(", ");
      throw new Error(
        `waited ${GONE_SECONDS} s for the volumes of ${SOURCE_NAMESPACE} to be gone; left: ${names}`,
      );
    }
    await delay(500);
  }
}

async function removeIfThere(kube: KubeClient, path: string): Promise<void> {
  try {
    await kube.remove(path);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  }
}
