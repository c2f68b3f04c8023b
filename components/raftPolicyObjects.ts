import { POLICY_NAME, RAFT_PORTS } from "./gate/readPolicies";

export type Direction = "Ingress" | "Egress";

/** Join challenge on the API port, replication on the cluster port; both are needed (hazard H4, platform#1985). */
const PORTS = RAFT_PORTS.map((port) => ({ protocol: "TCP", port }));

/** Where the server's pods are, and what they are called. */
export interface PolicyPlace {
  readonly namespace: string;
  /** HelmRelease, and so the value of the pods' instance label. */
  readonly release: string;
}

/** A policy of stage network as a whole object: the cluster and Git are to say the same. */
export interface RaftPolicyObject {
  readonly apiVersion: string;
  readonly kind: "NetworkPolicy" | "CiliumNetworkPolicy";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Record<string, string>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The labels by which the program's policies select the server; the probe pods carry them (ADR 0003). */
export function serverLabels(release: string): Record<string, string> {
  return { "app.kubernetes.io/name": "openbao", "app.kubernetes.io/instance": release };
}

/** Pure: the NetworkPolicy. */
export function networkPolicyObject(place: PolicyPlace, directions: readonly Direction[]): RaftPolicyObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(place),
    spec: raftPolicySpec(place.release, directions),
  };
}

/** Pure: the CiliumNetworkPolicy. */
export function ciliumPolicyObject(place: PolicyPlace, directions: readonly Direction[]): RaftPolicyObject {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: metadata(place),
    spec: ciliumPolicySpec(place.release, directions),
  };
}

/** Pure: the policy's spec. It names the labels that the probe pods carry, too. */
export function raftPolicySpec(release: string, directions: readonly Direction[]) {
  const server = { matchLabels: serverLabels(release) };
  return {
    podSelector: server,
    policyTypes: [...directions],
    ...(directions.includes("Ingress") && { ingress: [{ from: [{ podSelector: server }], ports: PORTS }] }),
    ...(directions.includes("Egress") && { egress: [{ to: [{ podSelector: server }], ports: PORTS }] }),
  };
}

/** Pure: the policy's spec. Cilium takes ports as text, and a peer selector means the policy's own namespace. */
export function ciliumPolicySpec(release: string, directions: readonly Direction[]) {
  const server = { matchLabels: serverLabels(release) };
  const toPorts = [{ ports: RAFT_PORTS.map((port) => ({ port: String(port), protocol: "TCP" })) }];
  return {
    endpointSelector: server,
    ...(directions.includes("Ingress") && { ingress: [{ fromEndpoints: [server], toPorts }] }),
    ...(directions.includes("Egress") && { egress: [{ toEndpoints: [server], toPorts }] }),
  };
}

function metadata({ namespace }: PolicyPlace): RaftPolicyObject["metadata"] {
  return {
    name: POLICY_NAME,
    namespace,
    labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" },
  };
}
