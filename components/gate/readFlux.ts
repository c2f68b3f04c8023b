import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { nameOf, textAt } from "./fields";
import { LandRefusal } from "../land/landRefusal";
import { livePolicies } from "../land/livePolicies";
import { known, notKnown, observe, valueOr, type Observed } from "./observed";
import { readAccess } from "./readAccess";
import { readArgo } from "./readArgo";
import { readAutoscalers } from "./readAutoscalers";
import { readCheckout, type CheckoutView } from "./readCheckout";
import { readDelivery, readHelm } from "./readDelivery";
import { readGitKey } from "./readGitKey";
import { readKeyCopies } from "./readKeyCopies";
import { ownerOf, writerView, type OwnerView, type WriterView } from "./readRelease";
import { readRoutes, type ClientView } from "./readRoutes";
import { readVelero } from "./readVelero";
import type { Look } from "./snapshot";

const MAX_OWNERS = 6;
/** Looks: a Helm that renders and asks the API server takes longer than one. */
const HELM_LOOKS = 12;
/** One question a right, 61 of them with delivery helm: seen to take longer than a look on a busy machine. */
const RIGHTS_LOOKS = 4;
const EXTERNAL_SECRETS = "/apis/external-secrets.io";

/** What writes into the cluster beside us, what this user may do, and the checkout. */
export function readFlux(
  look: Look,
  releaseObject: Promise<Observed<KubeObject | undefined>>,
  secretObject: Promise<Observed<KubeObject | undefined>>,
) {
  const helmMs = HELM_LOOKS * look.timeoutMs;
  const owner = releaseObject.then((seen) => ownerOf(valueOr(seen, undefined)));
  return {
    owners: releaseObject.then((seen) =>
      seen.known
        ? look.see("the Kustomizations above the HelmRelease", async (kube) => ownersOf(kube, await owner))
        : notKnown(`the HelmRelease is not known (${seen.why})`),
    ),
    delivery: look.see("who applies the chart", (kube) => readDelivery(kube, look.config)),
    helm: look.see("what Helm would do", (kube) => readHelm(kube, look.config, helmMs), helmMs),
    access: look.see(
      "the rights of this user",
      async (kube) => readAccess(kube, look.config, await owner),
      RIGHTS_LOOKS * look.timeoutMs,
    ),
    externalWriters: look.see("the ExternalSecrets and PushSecrets", (kube) =>
      readExternal(kube, look.config.namespace),
    ),
    autoscalers: look.see("the autoscalers", (kube) => readAutoscalers(kube, look.config)),
    argo: look.see("the Argo CD Applications", (kube) => readArgo(kube, look.config.namespace)),
    prometheusRules: look.see("the PrometheusRules", (kube) => servesRules(kube, look.config.namespace)),
    clients: look.see("the SecretStores, routes and CronJobs", async (kube) =>
      (await Promise.all([readStores(kube), readRoutes(kube, look.config)])).flat(),
    ),
    checkout: readGit(look),
    gitKey: readKeyInGit(look, secretObject),
    keyCopies: secretObject.then((secret) => (secret.known ? readCopies(look, secret.value) : secret)),
    velero: look.see("Velero's Backups", (kube) => readVelero(kube, look.config.namespace)),
  };
}

async function readGit(look: Look): Promise<Observed<CheckoutView | undefined>> {
  const { git } = look.config;
  if (git === undefined) return known(undefined);
  const about = look.config;
  if (git.networkPolicy === undefined)
    return observe("the Git checkout", look.timeoutMs, () => readCheckout(git, about, [], look.timeoutMs));
  return look.see("the Git checkout and the policies openbao-raft", async (kube) => {
    const seen = await livePolicies(kube, about).catch((error: unknown) => {
      if (error instanceof LandRefusal) return error;
      throw error;
    });
    const refused = seen instanceof LandRefusal ? seen.message : undefined;
    const view = await readCheckout(git, about, seen instanceof LandRefusal ? [] : seen, look.timeoutMs);
    return { ...view, ...(refused !== undefined && { refused }) };
  });
}

async function readCopies(look: Look, live: KubeObject | undefined) {
  const { git, keySecret } = look.config;
  if (git === undefined) return known(undefined);
  const { checkout } = git;
  const { name: secretName, unsealKey } = keySecret;
  return observe("the Secrets in the Git checkout", look.timeoutMs, () =>
    readKeyCopies({
      checkout,
      secretName,
      unsealKey,
      live,
      timeoutMs: look.timeoutMs,
      ...(git.keySecret !== undefined && { judgedApart: git.keySecret }),
    }),
  );
}

/** sops starts up to three times. */
const SOPS_LOOKS = 4;

async function readKeyInGit(look: Look, secret: Promise<Observed<KubeObject | undefined>>) {
  if (look.config.git?.keySecret === undefined) return known(undefined);
  const live = await secret;
  if (!live.known) return live;
  return observe("the encrypted key in the Git checkout", SOPS_LOOKS * look.timeoutMs, () =>
    readGitKey(look.config, live.value),
  );
}

/** The chain of Kustomizations: each may itself be applied by another one. */
async function ownersOf(kube: KubeClient, first: OwnerView | undefined): Promise<readonly WriterView[]> {
  const found: WriterView[] = [];
  let next = first;
  while (next !== undefined && found.length < MAX_OWNERS) {
    const { namespace, name } = next;
    if (found.some((one) => one.namespace === namespace && one.name === name)) break;
    const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${encodeURIComponent(namespace)}/kustomizations/${encodeURIComponent(name)}`;
    const object = await kube.find<KubeObject>(path);
    if (object === undefined) {
      found.push({ kind: "Kustomization", namespace, name, suspended: false, detail: "not found" });
      break;
    }
    found.push({ ...writerView("Kustomization", object), namespace, name });
    next = ownerOf(object);
  }
  return found;
}

async function servesRules(kube: KubeClient, namespace: string): Promise<boolean> {
  const path = `/apis/monitoring.coreos.com/v1/namespaces/${namespace}/prometheusrules`;
  return (await kube.find<KubeObject>(path, { limit: "1" })) !== undefined;
}

async function readExternal(kube: KubeClient, namespace: string): Promise<WriterView[]> {
  const [pulled, pushed] = await Promise.all([
    anyVersion(kube, (version) => `${EXTERNAL_SECRETS}/${version}/namespaces/${namespace}/externalsecrets`),
    anyVersion(kube, (version) => `${EXTERNAL_SECRETS}/${version}/pushsecrets`),
  ]);
  return [
    ...pulled.map((one) => writerView("ExternalSecret", one)),
    ...pushed.map((one) => writerView("PushSecret", one)),
  ];
}

async function readStores(kube: KubeClient): Promise<ClientView[]> {
  const lists = await Promise.all(
    ["clustersecretstores", "secretstores"].map((kind) =>
      anyVersion(kube, (version) => `${EXTERNAL_SECRETS}/${version}/${kind}`),
    ),
  );
  return lists.flat().flatMap((store) => {
    const server = textAt(store, "spec", "provider", "vault", "server");
    const space = textAt(store, "metadata", "namespace");
    return server === undefined
      ? []
      : [
          {
            name: `${textAt(store, "kind") ?? "SecretStore"} ${space ? `${space}/` : ""}${nameOf(store)}`,
            server,
          },
        ];
  });
}

/** The first version that is served; nothing when the operator is not installed. */
async function anyVersion(kube: KubeClient, path: (version: string) => string): Promise<readonly unknown[]> {
  for (const version of ["v1", "v1beta1", "v1alpha1"]) {
    const answer = await kube.find<KubeObject>(path(version));
    if (answer !== undefined) return itemsOf(path(version), answer).slice(0, 1000);
  }
  return [];
}
