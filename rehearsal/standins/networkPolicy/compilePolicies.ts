import type {
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyIngressRule,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from "@kubernetes/client-node";
import { cutRanges, mergeRanges, parseCidr, parseIPv4, type Range } from "./ranges";
import { selectorMatches } from "./selectorMatches";

export type Direction = "ingress" | "egress";

/** Ports of one protocol; `ports` absent means every port. */
export interface PortMatch {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly ports?: readonly Range[];
}

/** One allowance: traffic between these pods and these peers on these ports passes. */
export interface FlowRule {
  /** namespace/name of the policy, for people who read the rules. */
  readonly policy: string;
  readonly pods: readonly Range[];
  /** Absent: any address. */
  readonly peers?: readonly Range[];
  /** Absent: any protocol and port. */
  readonly ports?: readonly PortMatch[];
}

/** What one node enforces in one direction: isolated pods may do what a rule allows, and nothing else. */
export interface DirectionRules {
  readonly isolated: readonly Range[];
  readonly rules: readonly FlowRule[];
}

export interface NodeRules {
  /** Addresses of the node's own pods. */
  readonly pods: readonly number[];
  readonly ingress: DirectionRules;
  readonly egress: DirectionRules;
}

interface PlacedPod {
  readonly pod: V1Pod;
  readonly address: number;
  readonly namespaceLabels: Record<string, string>;
}

/** Translates policies into what one node has to let through; pure, in addresses and ports only. */
export function compilePolicies(
  node: string,
  pods: readonly V1Pod[],
  namespaces: readonly V1Namespace[],
  policies: readonly V1NetworkPolicy[],
): NodeRules {
  const placed = placePods(pods, namespaces);
  const local = placed.filter(({ pod }) => pod.spec?.nodeName === node);
  const byName = [...policies].sort((a, b) => (policyName(a) < policyName(b) ? -1 : 1));
  return {
    pods: local.map(({ address }) => address).sort((a, b) => a - b),
    ingress: compileDirection("ingress", local, placed, byName),
    egress: compileDirection("egress", local, placed, byName),
  };
}

/** Pods that policies can see: hostNetwork pods have the node's address, finished pods have given theirs back. */
function placePods(pods: readonly V1Pod[], namespaces: readonly V1Namespace[]): PlacedPod[] {
  const labels = new Map(namespaces.map(({ metadata }) => [metadata?.name, metadata?.labels ?? {}]));
  return pods.flatMap((pod) => {
    const finished = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    const address = parseIPv4(pod.status?.podIP ?? "");
    if (finished || pod.spec?.hostNetwork || address === undefined) return [];
    return [{ pod, address, namespaceLabels: labels.get(pod.metadata?.namespace) ?? {} }];
  });
}

function compileDirection(
  direction: Direction,
  local: readonly PlacedPod[],
  all: readonly PlacedPod[],
  policies: readonly V1NetworkPolicy[],
): DirectionRules {
  const isolated: PlacedPod[] = [];
  const rules: FlowRule[] = [];
  for (const policy of policies) {
    if (!appliesTo(policy, direction)) continue;
    const targets = local.filter(
      ({ pod }) =>
        pod.metadata?.namespace === policy.metadata?.namespace &&
        selectorMatches(policy.spec?.podSelector, pod.metadata?.labels),
    );
    if (targets.length === 0) continue;
    isolated.push(...targets);
    rules.push(...policyRules(policy, direction, targets, all));
  }
  return { isolated: rangesOf(isolated), rules };
}

/** policyTypes as the API server defaults it: always ingress, and egress when there are egress rules. */
function appliesTo(policy: V1NetworkPolicy, direction: Direction): boolean {
  const types = policy.spec?.policyTypes ?? [];
  if (types.length > 0) return types.includes(direction === "ingress" ? "Ingress" : "Egress");
  return direction === "ingress" || (policy.spec?.egress ?? []).length > 0;
}

function policyRules(
  policy: V1NetworkPolicy,
  direction: Direction,
  targets: readonly PlacedPod[],
  all: readonly PlacedPod[],
): FlowRule[] {
  const entries =
    direction === "ingress"
      ? (policy.spec?.ingress ?? []).map((rule) => ({ peers: sources(rule), ports: rule.ports }))
      : (policy.spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return entries.flatMap(({ peers, ports = [] }) => {
    const open = peers === undefined || peers.length === 0;
    const peerPods = open ? all : all.filter((pod) => peers.some((peer) => peerSelects(peer, pod, policy)));
    const blocks = (peers ?? []).flatMap(blockRanges);
    const base = { policy: policyName(policy), pods: rangesOf(targets) };
    const anyPeer = open ? {} : { peers: mergeRanges([...rangesOf(peerPods), ...blocks]) };
    if (ports.length === 0) return [{ ...base, ...anyPeer }];

    const numbered = mergePorts(ports.filter(({ port }) => typeof port !== "string"));
    const named = ports.filter(({ port }) => typeof port === "string");
    return [
      ...(numbered.length > 0 ? [{ ...base, ...anyPeer, ports: numbered }] : []),
      // A name stands for a container port of the pod that receives, so it may be another number on each.
      ...named.flatMap((port) =>
        groupByNumber(port, direction === "ingress" ? targets : peerPods).map(([number, receivers]) => ({
          ...base,
          ...(direction === "ingress"
            ? { ...anyPeer, pods: rangesOf(receivers) }
            : { peers: rangesOf(receivers) }),
          ports: [{ protocol: protocolOf(port), ports: [{ from: number, to: number }] }],
        })),
      ),
    ];
  });
}

/** The client's models spell the field `_from`, plain JSON from a watch spells it `from`. */
function sources(rule: V1NetworkPolicyIngressRule): V1NetworkPolicyPeer[] | undefined {
  return rule._from ?? (rule as { from?: V1NetworkPolicyPeer[] }).from;
}

function peerSelects(
  peer: V1NetworkPolicyPeer,
  { pod, namespaceLabels }: PlacedPod,
  policy: V1NetworkPolicy,
): boolean {
  if (peer.ipBlock || (!peer.podSelector && !peer.namespaceSelector)) return false;
  const namespaceFits = peer.namespaceSelector
    ? selectorMatches(peer.namespaceSelector, namespaceLabels)
    : pod.metadata?.namespace === policy.metadata?.namespace;
  return namespaceFits && selectorMatches(peer.podSelector, pod.metadata?.labels);
}

function blockRanges({ ipBlock }: V1NetworkPolicyPeer): Range[] {
  const whole = ipBlock && parseCidr(ipBlock.cidr);
  if (!whole) return [];
  return cutRanges(
    whole,
    (ipBlock.except ?? []).flatMap((cidr) => parseCidr(cidr) ?? []),
  );
}

function mergePorts(ports: readonly V1NetworkPolicyPort[]): PortMatch[] {
  return (["tcp", "udp", "sctp"] as const).flatMap((protocol): PortMatch[] => {
    const matching = ports.filter((port) => protocolOf(port) === protocol);
    if (matching.length === 0) return [];
    if (matching.some(({ port }) => port === undefined)) return [{ protocol }];
    const ranges = matching.map(({ port, endPort }) => ({ from: Number(port), to: endPort ?? Number(port) }));
    return [{ protocol, ports: mergeRanges(ranges) }];
  });
}

function groupByNumber(port: V1NetworkPolicyPort, receivers: readonly PlacedPod[]): [number, PlacedPod[]][] {
  const groups = new Map<number, PlacedPod[]>();
  for (const receiver of receivers) {
    for (const container of receiver.pod.spec?.containers ?? []) {
      for (const { name, containerPort, protocol = "TCP" } of container.ports ?? []) {
        if (name !== port.port || protocol !== (port.protocol ?? "TCP")) continue;
        groups.set(containerPort, [...(groups.get(containerPort) ?? []), receiver]);
      }
    }
  }
  return [...groups].sort(([a], [b]) => a - b);
}

function protocolOf(port: V1NetworkPolicyPort): PortMatch["protocol"] {
  return (port.protocol ?? "TCP").toLowerCase() as PortMatch["protocol"];
}

function rangesOf(pods: readonly PlacedPod[]): Range[] {
  return mergeRanges(pods.map(({ address }) => ({ from: address, to: address })));
}

function policyName({ metadata }: V1NetworkPolicy): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
