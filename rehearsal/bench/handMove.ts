import type { V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { readKeySecret } from "../../components/cluster/keySecret";
import { health, openBaoInPod, sealStatusIfUp, unseal } from "../../components/cluster/openBaoStatus";
import { raftConfig } from "../../components/openBaoConfig/raftConfig";
import { buildJob } from "../../components/steps/nodeJob";
import { scale, until } from "../../components/steps/world";
import { SOURCE_NAMESPACE as NS } from "../source/sourceCluster";

const RELEASE = "openbao";
const POD = "openbao-0";
const PODS = `/api/v1/namespaces/${NS}/pods`;
const JOBS = `/apis/batch/v1/namespaces/${NS}/jobs`;
const CONFIG_MAPS = `/api/v1/namespaces/${NS}/configmaps`;
const CONFIG = `${CONFIG_MAPS}/openbao-config`;
const CONFIG_KEY = "extraconfig-from-values.hcl";
const HELM_RELEASE = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${NS}/helmreleases/${RELEASE}`;
const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
const SECONDS = 600;

type ConfigMap = KubeObject & { data?: Record<string, string> };
type Pod = V1Pod & KubeObject;

/** What the bare sequence cost. */
export interface HandMove {
  readonly copied: number;
  /** In seconds, whole ones. */
  readonly copySeconds: number;
  /** When the scale to 0 was asked for, and when the server was active on Raft; milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Does by hand what a runbook says: scale 0, `bao operator migrate` with its defaults, start, unseal. What lies on the
 * volume is taken back afterwards, so that the program's own cutover is measured on the very same data.
 * @param settle called while the server is active on Raft, before the way back
 */
export async function moveByHand(kube: KubeClient, settle: () => Promise<void>): Promise<HandMove> {
  await kube.mergePatch(HELM_RELEASE, { spec: { suspend: true } });
  const before = (await kube.get<ConfigMap>(CONFIG)).data?.[CONFIG_KEY] ?? "";
  const target = raftConfig(before, { namespace: NS, release: RELEASE, replicas: 3 });
  const text = String(target).replace(/storage "raft" \{/, `$&\n  node_id = "${POD}"`);

  const fromMs = Date.now();
  await stop(kube);
  const facts = await runBenchJob(kube, "handMove.sh");
  await start(kube, text);
  const toMs = Date.now();
  await settle();

  await stop(kube);
  await runBenchJob(kube, "wayBack.sh");
  await start(kube, before);
  await kube.mergePatch(HELM_RELEASE, { spec: { suspend: false } });
  return { copied: Number(facts["copied"]), copySeconds: Number(facts["copySeconds"]), fromMs, toMs };
}

async function stop(kube: KubeClient): Promise<void> {
  await scale(kube, NS, RELEASE, 0);
  await kube.waitFor<Pod>(PODS, POD, (pod) => pod === undefined, {
    what: `pod ${POD} to be gone`,
    timeoutSeconds: SECONDS,
  });
}

async function start(kube: KubeClient, config: string): Promise<void> {
  await kube.mergePatch(CONFIG, { data: { [CONFIG_KEY]: config } });
  await scale(kube, NS, RELEASE, 1);
  await kube.waitFor<Pod>(PODS, POD, (pod) => pod?.spec?.nodeName !== undefined, {
    what: `pod ${POD} to be placed`,
    timeoutSeconds: SECONDS,
  });
  const { unsealKey } = await readKeySecret(kube, NS, KEY_SECRET);
  const bao = openBaoInPod(kube, { namespace: NS, release: RELEASE }, POD);
  try {
    await until(`${POD} to be active`, SECONDS, async () => {
      // The hook may be faster: the state counts, not the reply.
      if ((await sealStatusIfUp(bao))?.sealed === true) await unseal(bao, unsealKey).catch(() => undefined);
      const code = await health(bao);
      return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
    });
  } finally {
    bao.close();
  }
}

/** Runs one of this folder's scripts on the volume. @throws Error when it does not end well */
async function runBenchJob(kube: KubeClient, script: string): Promise<Readonly<Record<string, unknown>>> {
  const name = `openbao-bench-${script.replace(/\.sh$/, "").toLowerCase()}`;
  const set = await kube.get<V1StatefulSet>(`/apis/apps/v1/namespaces/${NS}/statefulsets/${RELEASE}`);
  const data = { [script]: readFileSync(join(__dirname, script), "utf8") };
  await kube.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
  await kube.create(JOBS, buildJob(set, { name, script, timeoutSeconds: SECONDS }) as KubeObject);
  const ended = (pod: Pod) => ["Succeeded", "Failed"].includes(pod.status?.phase ?? "");
  const pod = await until<Pod>(`Job ${name} to end`, SECONDS, async () => {
    const [one] = await kube.list<Pod>(PODS, { labelSelector: `app=${name}` });
    return one !== undefined && ended(one) ? { value: one } : { seen: one?.status?.phase ?? "no pod" };
  });
  const state = pod.status?.containerStatuses?.[0]?.state?.terminated;
  if (state?.exitCode !== 0) throw new Error(`Job ${name} ended with exit code ${state?.exitCode}`);
  return JSON.parse(state.message ?? "{}") as Record<string, unknown>;
}
