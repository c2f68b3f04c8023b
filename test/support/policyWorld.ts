import type { V1Namespace, V1NetworkPolicy, V1NetworkPolicySpec, V1Pod } from "@kubernetes/client-node";
import { rulesetFor } from "../../rehearsal/standins/networkPolicy/rulesetFor";
import { nftVerdict, type Packet } from "./nftVerdict";

export const bao = pod(
  "openbao-0",
  "openbao",
  "node-1",
  "10.98.1.2",
  { app: "openbao", tier: "store" },
  { http: 8200 },
);
export const bao1 = pod(
  "openbao-1",
  "openbao",
  "node-2",
  "10.98.2.2",
  { app: "openbao", tier: "store" },
  { http: 18200 },
);
export const job = pod("job", "openbao", "node-1", "10.98.1.3", { app: "job" });
export const client = pod("client", "apps", "node-2", "10.98.2.3", { app: "client", tier: "web" });
export const dns = pod("dns", "kube-system", "node-1", "10.98.1.4", { app: "dns" }, { dns: 53 });
export const pods = [bao, bao1, job, client, dns];
export const namespaces = ["openbao", "apps", "kube-system"].map((name): V1Namespace => ({
  metadata: {
    name,
    labels: { "kubernetes.io/metadata.name": name, team: name === "apps" ? "apps" : "platform" },
  },
}));

export function pod(
  name: string,
  namespace: string,
  nodeName: string,
  podIP: string,
  labels: Record<string, string>,
  ports: Record<string, number> = {},
): V1Pod {
  const containerPorts = Object.entries(ports).map(([port, containerPort]) => ({
    name: port,
    containerPort,
  }));
  return {
    metadata: { name, namespace, labels },
    spec: { nodeName, containers: [{ name: "main", ports: containerPorts }] },
    status: { phase: "Running", podIP },
  };
}

/** A policy in namespace openbao, in the API's own spelling (`from`), as a watch delivers it. */
export function policy(spec: object, name = "policy"): V1NetworkPolicy {
  return {
    metadata: { name, namespace: "openbao" },
    spec: { podSelector: {}, ...spec } as V1NetworkPolicySpec,
  };
}

/** The verdict of every node that the packet crosses, as on a real path. */
export function passes(policies: V1NetworkPolicy[], packet: Packet, world: V1Pod[] = pods): boolean {
  return ["node-1", "node-2"]
    .filter((node) =>
      world.some((p) => p.spec?.nodeName === node && [packet.from, packet.to].includes(ip(p))),
    )
    .every((node) => nftVerdict(rulesetFor(node, world, namespaces, policies), packet) === "accept");
}

export function ip(p: V1Pod): string {
  return p.status?.podIP ?? "";
}

export function tcp(from: V1Pod | string, to: V1Pod | string, port = 8200): Packet {
  const address = (end: V1Pod | string): string => (typeof end === "string" ? end : ip(end));
  return { from: address(from), to: address(to), protocol: "tcp", port };
}
