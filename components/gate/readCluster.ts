import { currentEntries, JOURNAL_NAME, readJournalRun } from "../cluster/journal";
import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { isDeadHere, LEASE_NAME } from "../cluster/lease";
import { findRelease } from "../delivery/releaseReader";
import { at, booleanAt, labelsAt, textAt } from "./fields";
import { notKnown, valueOr, viewed, type Observed } from "./observed";
import { quotaView } from "./quota";
import { leaseView } from "./readAccess";
import { keyProofView, keySecretView } from "./readKeySecret";
import { budgetView, endpointsView, podWebhooks, serviceView } from "./readNetwork";
import { ciliumPolicyView, networkPolicyView } from "./readPolicies";
import { jobView, releaseView } from "./readRelease";
import { serverConfigView } from "./readServerConfig";
import { claimView, storageClassView, volumeUses, volumeView } from "./readStorage";
import { nodeView, podView, statefulSetView, type PodView } from "./readWorkload";
import type { Look } from "./snapshot";

export const OUR_MANAGER = "openbao-raft-migration";

/** Views what was read; views are total, and should one not be, its part is unknown. */
function then<T, U>(part: Promise<Observed<T>>, view: (value: T) => U | Promise<U>): Promise<Observed<U>> {
  return viewed(part, "an answer", view);
}

/** The objects of the namespace, with the raw ones that other readers build on. */
export function readNamespaced(look: Look) {
  const { namespace, release, keySecret } = look.config;
  const core = `/api/v1/namespaces/${namespace}`;
  const find = (what: string, path: string) => look.see(what, (kube) => kube.find<KubeObject>(path));
  const list = (what: string, path: string) => look.see(what, (kube) => kube.list<KubeObject>(path));

  const space = find(`namespace ${namespace}`, core);
  const releaseObject = look.see("the release", (kube) => findRelease(kube, look.config));
  const set = find("the StatefulSet", `/apis/apps/v1/namespaces/${namespace}/statefulsets/${release}`);
  const secretObject = find("the key Secret", `${core}/secrets/${keySecret.name}`);
  const pods = then(list("the pods", `${core}/pods`), (items) =>
    items.flatMap((item) => podView(item, release) ?? []).sort((a, b) => a.ordinal - b.ordinal),
  );
  const book = look.see(`the journal ${JOURNAL_NAME}`, (kube) => readJournalRun(kube, namespace));
  const spaceLabels = space.then((seen) => labelsAt(valueOr(seen, undefined), "metadata", "labels"));
  const podLabels = serverLabels(release, set);

  const journal = then(book, (run) => currentEntries(run?.entries ?? []));

  const parts = {
    api: look.see("the API server", async (kube) => ({
      version: textAt(await kube.get<KubeObject>("/version"), "gitVersion") ?? "unknown",
    })),
    serverTime: look.see("the API server's clock", (kube) => serverTime(kube, namespace)),
    namespace: then(space, (object) =>
      object === undefined ? undefined : { labels: labelsAt(object, "metadata", "labels") },
    ),
    release: then(releaseObject, (object) => (object === undefined ? undefined : releaseView(object))),
    statefulSet: then(set, (object) => (object === undefined ? undefined : statefulSetView(object))),
    serverConfig: releaseObject.then(async (seen) => {
      const map = await find("the server's ConfigMap", `${core}/configmaps/${release}-config`);
      if (!seen.known) return seen;
      return viewed(map, "the server's ConfigMap", (object) =>
        serverConfigView(seen.value, object, look.config),
      );
    }),
    pods,
    keySecret: then(secretObject, (object) =>
      keySecretView(object, keySecret.unsealKey, keySecret.rootToken),
    ),
    services: then(list("the Services", `${core}/services`), (items) => items.map(serviceView)),
    activeEndpoints: then(
      list("the EndpointSlices", `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`),
      (items) => endpointsView(items, `${release}-active`),
    ),
    budgets: podLabels.then((labels) =>
      then(
        list("the PodDisruptionBudgets", `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`),
        (items) => items.map((item) => budgetView(item, labels)),
      ),
    ),
    policies: then(
      list("the NetworkPolicies", `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`),
      async (items) => {
        const [labels, spaces] = await Promise.all([podLabels, spaceLabels]);
        return items.map((item) => networkPolicyView(item, labels, spaces));
      },
    ),
    ciliumPolicies: look.see("the CiliumNetworkPolicies", async (kube) =>
      readCilium(kube, namespace, await podLabels),
    ),
    lease: then(
      find("the Lease", `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEASE_NAME}`),
      (object) => (object === undefined ? undefined : leaseView(object, isDeadHere)),
    ),
    journal,
    runId: then(book, (run) => run?.id),
    keyProof: secretObject.then((secret) =>
      secret.known
        ? then(journal, (entries) => keyProofView(secret.value, keySecret.unsealKey, entries))
        : secret,
    ),
    cronJobs: then(list("the CronJobs", `/apis/batch/v1/namespaces/${namespace}/cronjobs`), (items) =>
      items.map((item) => ({
        ...jobView(item, OUR_MANAGER),
        suspended: booleanAt(item, "spec", "suspend") === true,
        schedule: textAt(item, "spec", "schedule") ?? "",
      })),
    ),
    jobs: then(list("the Jobs", `/apis/batch/v1/namespaces/${namespace}/jobs`), (items) =>
      items.map((item) => jobView(item, OUR_MANAGER)),
    ),
    podWebhooks: then(
      list("the mutating webhooks", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"),
      (items) => items.flatMap(podWebhooks),
    ),
    quotas: then(list("the ResourceQuotas", `${core}/resourcequotas`), (items) => items.map(quotaView)),
  };
  return { parts, pods, set, releaseObject, secretObject };
}

async function serverLabels(
  release: string,
  set: Promise<Observed<KubeObject | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const object = valueOr(await set, undefined);
  if (object !== undefined) return statefulSetView(object).podLabels;
  return {
    "app.kubernetes.io/name": "openbao",
    "app.kubernetes.io/instance": release,
    component: "server",
  };
}

async function readCilium(kube: KubeClient, namespace: string, labels: Readonly<Record<string, string>>) {
  const root = "/apis/cilium.io/v2";
  const paths = [
    `${root}/namespaces/${namespace}/ciliumnetworkpolicies`,
    `${root}/ciliumclusterwidenetworkpolicies`,
  ];
  const [own, wide] = await Promise.all(paths.map((path) => kube.find<KubeObject>(path)));
  if (own === undefined) return undefined;
  return [
    ...itemsOf(paths[0]!, own).map((one) => ciliumPolicyView(one, "CiliumNetworkPolicy", namespace, labels)),
    ...(wide === undefined ? [] : itemsOf(paths[1]!, wide)).map((one) =>
      ciliumPolicyView(one, "CiliumClusterwideNetworkPolicy", namespace, labels),
    ),
  ];
}

/** A dry run stores nothing; the object that comes back carries the server's time. */
async function serverTime(kube: KubeClient, namespace: string): Promise<string> {
  const made = await kube.create<KubeObject>(
    `/api/v1/namespaces/${namespace}/configmaps`,
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "openbao-raft-migration-clock" },
    },
    { dryRun: "All" },
  );
  return String(textAt(made, "metadata", "creationTimestamp") ?? "");
}

export function readNodes(look: Look, pods: Promise<Observed<readonly PodView[]>>) {
  const objects = look.see("the nodes", (kube) => kube.list<KubeObject>("/api/v1/nodes"));
  const parts = {
    nodes: then(objects, (items) => items.map(nodeView)),
    volumeUse: pods.then((seen) => {
      if (!seen.known) return notKnown(`the pods are not known (${seen.why})`);
      const nodes = [...new Set(seen.value.map((pod) => pod.node).filter((node) => node !== ""))].slice(0, 9);
      return look.see("the kubelets' volume figures", async (kube) => {
        const summaries = await Promise.all(
          nodes.map((node) => kube.get<KubeObject>(`/api/v1/nodes/${node}/proxy/stats/summary`)),
        );
        return summaries.flatMap((summary, i) => volumeUses(summary, nodes[i]!, look.config.namespace));
      });
    }),
  };
  return { parts, objects };
}

export function readClaims(look: Look) {
  const { namespace, release } = look.config;
  const claims = look.see("the PersistentVolumeClaims", async (kube) =>
    (await kube.list<KubeObject>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)).flatMap(
      (item) => claimView(item, release) ?? [],
    ),
  );
  return {
    claims,
    volumes: claims.then((seen) =>
      seen.known
        ? look.see("the PersistentVolumes", async (kube) => {
            const names = seen.value.map((claim) => claim.volume).filter((name) => name !== "");
            const found = await Promise.all(
              names.map((name) =>
                kube.find<KubeObject>(`/api/v1/persistentvolumes/${encodeURIComponent(name)}`),
              ),
            );
            return found.filter((volume) => at(volume, "metadata") !== undefined).map(volumeView);
          })
        : seen,
    ),
    storageClasses: look.see("the StorageClasses", async (kube) =>
      (await kube.list<KubeObject>("/apis/storage.k8s.io/v1/storageclasses")).map(storageClassView),
    ),
  };
}
