import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import {
  kubeClient,
  loadKubeConfig,
  type KubeClient,
  type KubeObject,
} from "../../components/cluster/kubeClient";
import type { OpenBao } from "../../components/cluster/openBaoClient";
import { openBaoInPod } from "../../components/cluster/openBaoStatus";
import { runHelm } from "../../components/delivery/runHelm";
import { removeFlux } from "../flux/removeFlux";
import { LOAD_NAMESPACE, LOAD_TOKEN_SECRET } from "../load/clientObjects";
import { SAMPLE_ROLE, sampleRole } from "../standins/externalSecrets/objects";
import { baoSession, type BaoSession } from "./baoSession";
import { loadEngines } from "./loadEngines";
import { loadKv, mountKv } from "./loadKv";
import { helmValuesText, PLATFORM_TREE, platformObjects, type SourceVariant } from "./platformFiles";
import { TLS_CONFIG, tlsSecret } from "./sourceTls";
import {
  collectionOf,
  OWNED_LABEL,
  refuseForeign,
  removeNamespaces,
  SOURCE_NAMESPACE,
} from "./sourceCluster";

const KEY_SECRET = "openbao-unseal";
const PLACEHOLDER = "REPLACE_AFTER_INIT";
/** Says which content a finished install loaded. */
const CONTENT_ANNOTATION = "openbao-raft-migration/content";
const KEY_PLACEHOLDER = secret(SOURCE_NAMESPACE, KEY_SECRET, {
  "unseal-key": PLACEHOLDER,
  "root-token": PLACEHOLDER,
});
const PODS = `/api/v1/namespaces/${SOURCE_NAMESPACE}/pods`;
const POD = "openbao-0";
const POD_SECONDS = 300;
const HELM_SECONDS = 120;
const ACTIVE_SECONDS = 60;

export interface SourceOptions extends SourceVariant {
  /** Number of KV entries. @default 1000 */
  readonly keys?: number;
  /** Same seed, same content. @default "1" */
  readonly seed?: string;
  /** Gets one line for each step. */
  readonly log: (line: string) => void;
  /** @default the kubeconfig's current context */
  readonly kube?: KubeClient;
  /** Brings the platform's objects into the cluster, the namespace with them. @default they are applied from here */
  readonly place?: () => Promise<void>;
}

interface Pod extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] };
}

/**
 * Installs OpenBao as users have it, through the platform's HelmRelease, initialises it and loads its content. A source
 * of the same seed and size is left as it is, whatever stage of the move it is in; one that was left half-made is
 * removed first.
 * @returns whether a source was there already.
 * @throws Error when the namespace is not the rehearsal's, or a step does not finish in its time.
 */
export async function installSource(options: SourceOptions): Promise<{ readonly reused: boolean }> {
  const { keys = 1000, seed = "1", log } = options;
  const kube = options.kube ?? kubeClient(loadKubeConfig());
  const content = `seed ${seed}, ${keys} keys${variantWords(options)}`;
  const namespace = await refuseForeign(kube, SOURCE_NAMESPACE);
  if (namespace?.metadata?.annotations?.[CONTENT_ANNOTATION] === content) {
    log(`the source is there already (${content}): used as it is`);
    return { reused: true };
  }
  if (namespace !== undefined) {
    log("a source of other content, or half a one, is there: removing it");
    await removeNamespaces(kube, [SOURCE_NAMESPACE, LOAD_NAMESPACE]);
  }
  await refuseForeign(kube, LOAD_NAMESPACE);
  const tls = options.tls === true ? await tlsSecret(SOURCE_NAMESPACE) : undefined;
  const secrets = [KEY_PLACEHOLDER, ...(tls === undefined ? [] : [tls])];
  if (options.place === undefined) {
    await applyObjects(kube, options, secrets, log);
    if (options.delivery === "helm") await installRelease(options, log);
  } else {
    await options.place();
    for (const object of secrets) await kube.create(collectionOf(object), object);
  }
  await podReady(kube);
  log(`${POD} is ready, not initialised`);
  const server = {
    namespace: SOURCE_NAMESPACE,
    release: "openbao",
    ...(tls !== undefined && { tls: TLS_CONFIG }),
  };
  const bao = openBaoInPod(kube, server, POD);
  try {
    const root = await initialise(kube, bao);
    log("initialised and unsealed, key and root token are in Secret openbao-unseal");
    await loadContent(root, seed, keys, log);
    await makeLoadToken(kube, root, tls);
  } finally {
    bao.close();
  }
  await kube.mergePatch(`/api/v1/namespaces/${SOURCE_NAMESPACE}`, {
    metadata: { annotations: { [CONTENT_ANNOTATION]: content } },
  });
  log(`the source is complete: ${content}`);
  return { reused: false };
}

/** Removes the source, the client load and their volumes, and Flux's objects above them; waits until they are gone. */
export async function removeSource(options: { readonly kube?: KubeClient } = {}): Promise<void> {
  const kube = options.kube ?? kubeClient(loadKubeConfig());
  await removeFlux(kube);
  await removeNamespaces(kube, [SOURCE_NAMESPACE, LOAD_NAMESPACE]);
}

function variantWords({ storage, hook, delivery, tls, smallVolumes }: SourceVariant): string {
  return [
    storage === "raft" ? ", on Raft" : "",
    hook === "once" ? ", hook once" : "",
    delivery === "helm" ? ", by Helm" : "",
    tls === true ? ", with TLS" : "",
    smallVolumes === true ? ", small volumes" : "",
  ].join("");
}

async function applyObjects(
  kube: KubeClient,
  variant: SourceVariant,
  secrets: readonly KubeObject[],
  log: (line: string) => void,
): Promise<void> {
  const [namespace, ...rest] = platformObjects(PLATFORM_TREE, variant);
  const labels = { ...namespace!.metadata?.labels, [OWNED_LABEL]: "true" };
  const all: KubeObject[] = [
    { ...namespace, metadata: { ...namespace!.metadata, labels } },
    ...secrets,
    ...rest,
  ];
  for (const object of all) await kube.create(collectionOf(object), object);
  log(`applied ${all.map(({ kind, metadata }) => `${kind}/${metadata?.name}`).join(", ")}`);
}

/** As a person would: the values from a file, here standard input. */
async function installRelease(variant: SourceVariant, log: (line: string) => void): Promise<void> {
  const chart = join(__dirname, "..", "standins", "chart", "openbao");
  const args = ["install", "openbao", chart, "--namespace", SOURCE_NAMESPACE, "--values", "-"];
  await runHelm(args, parse(helmValuesText(variant)) as object, HELM_SECONDS * 1000);
  log("helm install openbao: done");
}

async function podReady(kube: KubeClient): Promise<void> {
  const ready = (pod: Pod | undefined) =>
    pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  try {
    await kube.waitFor<Pod>(PODS, POD, ready, {
      what: `pod ${POD} to be ready`,
      timeoutSeconds: POD_SECONDS,
    });
  } catch (cause) {
    type Release = KubeObject & { status?: { conditions?: { type: string; message: string }[] } };
    const path = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases/openbao`;
    const release = await kube.find<Release>(path);
    const words = release?.status?.conditions?.map(({ type, message }) => `${type}: ${message}`).join("; ");
    throw new Error(`${(cause as Error).message}; HelmRelease openbao says: ${words ?? "nothing"}`, {
      cause,
    });
  }
}

/** @returns a session of the root token on the unsealed, active node. */
async function initialise(kube: KubeClient, bao: OpenBao): Promise<BaoSession> {
  const path = `/api/v1/namespaces/${SOURCE_NAMESPACE}/secrets/${KEY_SECRET}`;
  // The keys exist only in the reply to init: the place that will hold them has to be writable first.
  await kube.mergePatch(path, { metadata: { labels: { [OWNED_LABEL]: "true" } } }, { dryRun: "All" });
  const answer = await bao.request("PUT", "/v1/sys/init", {
    body: { secret_shares: 1, secret_threshold: 1 },
    timeoutMs: 60_000,
  });
  const { keys_base64: shares, root_token: token } = (answer.body ?? {}) as {
    keys_base64?: string[];
    root_token?: string;
  };
  const key = shares?.[0];
  if (answer.status !== 200 || key === undefined || token === undefined) {
    throw new Error(`${POD} answered ${answer.status} to init, expected 200 with a key and a root token`);
  }
  await kube.mergePatch(path, { stringData: { "unseal-key": key, "root-token": token } });
  const unsealed = await bao.request("PUT", "/v1/sys/unseal", { body: { key } });
  if (unsealed.status !== 200) throw new Error(`${POD} answered ${unsealed.status} to unseal, expected 200`);
  await active(bao);
  return baoSession(bao, token);
}

async function active(bao: OpenBao): Promise<void> {
  const end = Date.now() + ACTIVE_SECONDS * 1000;
  for (;;) {
    const { status } = await bao.request("GET", "/v1/sys/health");
    if (status === 200) return;
    if (Date.now() > end) {
      throw new Error(
        `waited ${ACTIVE_SECONDS} s for ${POD} to be active; health is ${status}, expected 200`,
      );
    }
    await delay(200);
  }
}

async function loadContent(
  root: BaoSession,
  seed: string,
  keys: number,
  log: (line: string) => void,
): Promise<void> {
  const started = Date.now();
  await mountKv(root);
  const step = Math.max(1, Math.ceil(keys / 5));
  const requests = await loadKv(root, seed, keys, (done) => {
    if (done % step === 0 && done < keys) log(`loaded ${done} of ${keys} KV entries`);
  });
  await loadEngines(root, seed);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  log(
    `loaded ${keys} KV entries by ${requests} writes, and policies, auth, transit, pki, identity, tokens in ${seconds} s`,
  );
}

/** The client load gets a token of its own that can do no more than it needs. */
async function makeLoadToken(
  kube: KubeClient,
  root: BaoSession,
  tls: Awaited<ReturnType<typeof tlsSecret>> | undefined,
): Promise<void> {
  await root.call("PUT", "sys/policies/acl/client-load", {
    policy: 'path "secret/data/load/*" {\n  capabilities = ["create", "update", "read"]\n}\n',
  });
  await root.call("POST", `auth/kubernetes/role/${SAMPLE_ROLE}`, sampleRole("client-load"));
  const answer = await root.reply("POST", "auth/token/create-orphan", {
    policies: ["client-load"],
    period: "72h",
  });
  const { client_token: token } = (answer.body as { auth: { client_token: string } }).auth;
  const labels = { [OWNED_LABEL]: "true", "pod-security.kubernetes.io/enforce": "baseline" };
  await kube.create<KubeObject>("/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: LOAD_NAMESPACE, labels },
  });
  const ca: Record<string, string> = tls === undefined ? {} : { "ca.crt": tls.stringData["ca.crt"] };
  const object = secret(LOAD_NAMESPACE, LOAD_TOKEN_SECRET, { token, ...ca });
  await kube.create(collectionOf(object), object);
}

function secret(namespace: string, name: string, stringData: Record<string, string>): KubeObject {
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "Opaque",
    stringData,
  };
  return object;
}
