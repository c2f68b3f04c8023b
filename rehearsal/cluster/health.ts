import { Resolver } from "node:dns/promises";
import type { Api } from "./api";
import { API_SERVICE_ADDRESS, CLUSTER_DOMAIN, DNS_ADDRESS, nodeLayouts } from "./layout";

interface Condition {
  type: string;
  status: string;
}
interface NodeObject {
  metadata: { name: string };
  status?: { conditions?: Condition[] };
}
interface PodObject {
  metadata: { name: string; namespace: string };
  spec: { nodeName?: string };
  status: { phase?: string; podIP?: string; conditions?: Condition[] };
}

/** A pod as `status` shows it. */
export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly address: string;
  readonly phase: string;
  readonly ready: boolean;
}

const isTrue = (conditions: Condition[] | undefined, type: string) =>
  conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

export async function apiIsReady(api: Api): Promise<boolean> {
  return (await api.text("GET", "/readyz")) === "ok";
}

/**
 * Names of the nodes that are Ready and whose kubelet answers now. The condition alone stays true for 40 s after
 * a kubelet dies.
 */
export async function readyNodes(api: Api): Promise<string[]> {
  const { items } = await api.get<{ items: NodeObject[] }>("/api/v1/nodes");
  const ready = items
    .filter((node) => isTrue(node.status?.conditions, "Ready"))
    .map((node) => node.metadata.name);
  const answers = await Promise.all(ready.map((name) => kubeletAnswers(api, name)));
  return ready.filter((_, i) => answers[i]);
}

async function kubeletAnswers(api: Api, node: string): Promise<boolean> {
  const answer = await api.text("GET", `/api/v1/nodes/${node}/proxy/healthz`).catch(() => "");
  return answer === "ok";
}

export async function allNodesReady(api: Api): Promise<boolean> {
  const ready = await readyNodes(api);
  return nodeLayouts().every((node) => ready.includes(node.name));
}

/** Asks the cluster's DNS through its Service address: proves CoreDNS, kube-proxy and the routes at once. */
export async function dnsAnswers(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([DNS_ADDRESS]);
  const found = await resolver.resolve4(`kubernetes.default.svc.${CLUSTER_DOMAIN}`).catch((): string[] => []);
  return found.includes(API_SERVICE_ADDRESS);
}

export async function listPods(api: Api): Promise<PodStatus[]> {
  const { items } = await api.get<{ items: PodObject[] }>("/api/v1/pods");
  return items.map((pod) => ({
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    node: pod.spec.nodeName ?? "-",
    address: pod.status.podIP ?? "-",
    phase: pod.status.phase ?? "-",
    ready: isTrue(pod.status.conditions, "Ready"),
  }));
}
