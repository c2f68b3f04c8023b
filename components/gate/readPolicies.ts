import { at, booleanAt, listAt, nameOf, numberAt, textAt, textsAt } from "./fields";
import { selectorTakes } from "./selector";

export type Direction = "ingress" | "egress";
export const RAFT_PORTS = [8200, 8201] as const;
/** Name of both kinds of policy that stage network makes; a run with lost state finds them by this name. */
export const POLICY_NAME = "openbao-raft";

/** What a policy says on traffic between two server pods. */
export interface PolicyView {
  readonly kind: "NetworkPolicy" | "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy";
  readonly name: string;
  /** Directions in which it isolates the server's pods. */
  readonly isolates: readonly Direction[];
  /** `direction port` pairs that it allows between server pods. */
  readonly allows: readonly string[];
  /** True when it denies something: a deny beats every allow. */
  readonly denies: boolean;
}

export function networkPolicyView(
  object: unknown,
  labels: Readonly<Record<string, string>>,
  namespaceLabels: Readonly<Record<string, string>>,
): PolicyView {
  const spec = at(object, "spec");
  const selected = selectorTakes(at(spec, "podSelector") ?? {}, labels);
  const types = textsAt(spec, "policyTypes");
  const isolates: Direction[] = [];
  if (selected && (types.length === 0 || types.includes("Ingress"))) isolates.push("ingress");
  if (selected && (types.includes("Egress") || (types.length === 0 && listAt(spec, "egress").length > 0))) {
    isolates.push("egress");
  }
  const allows = isolates.flatMap((direction) =>
    RAFT_PORTS.filter((port) =>
      listAt(spec, direction).some(
        (rule) =>
          takesPort(rule, port) &&
          takesPeer(rule, direction === "ingress" ? "from" : "to", labels, namespaceLabels),
      ),
    ).map((port) => `${direction} ${port}`),
  );
  return { kind: "NetworkPolicy", name: nameOf(object), isolates, allows, denies: false };
}

function takesPort(rule: unknown, port: number): boolean {
  const ports = listAt(rule, "ports");
  return (
    ports.length === 0 ||
    ports.some((one) => {
      if ((textAt(one, "protocol") ?? "TCP") !== "TCP") return false;
      const first = at(one, "port");
      if (first === undefined) return true;
      if (first === port) return true;
      if (first === "http" || first === "https") return port === 8200;
      if (first === "https-internal") return port === 8201;
      const last = numberAt(one, "endPort");
      return typeof first === "number" && last !== undefined && first <= port && port <= last;
    })
  );
}

function takesPeer(
  rule: unknown,
  key: "from" | "to",
  labels: Readonly<Record<string, string>>,
  namespaceLabels: Readonly<Record<string, string>>,
): boolean {
  const peers = listAt(rule, key);
  return (
    peers.length === 0 ||
    peers.some((peer) => {
      // An address block says nothing certain on a pod whose address is not known yet.
      if (at(peer, "ipBlock") !== undefined) return false;
      const space = at(peer, "namespaceSelector");
      const pods = at(peer, "podSelector");
      return (
        (space === undefined || selectorTakes(space, namespaceLabels)) &&
        (pods === undefined || selectorTakes(pods, labels))
      );
    })
  );
}

/** Cilium's own form; a rule that is not understood counts as allowing nothing. */
export function ciliumPolicyView(
  object: unknown,
  kind: PolicyView["kind"],
  namespace: string,
  labels: Readonly<Record<string, string>>,
): PolicyView {
  const specs = [at(object, "spec"), ...listAt(object, "specs")].filter((spec) => spec !== undefined);
  const own = {
    ...labels,
    "k8s:io.kubernetes.pod.namespace": namespace,
    "io.kubernetes.pod.namespace": namespace,
  };
  const mine = specs.filter((spec) => endpointTakes(at(spec, "endpointSelector"), own));
  const isolates = (["ingress", "egress"] as const).filter((direction) =>
    mine.some((spec) => ciliumIsolates(spec, direction)),
  );
  const allows = isolates.flatMap((direction) =>
    RAFT_PORTS.filter((port) =>
      mine
        .flatMap((spec) => listAt(spec, direction))
        .some((rule) => ciliumRuleTakes(rule, direction, port, own)),
    ).map((port) => `${direction} ${port}`),
  );
  const denies = mine.some(
    (spec) => listAt(spec, "ingressDeny").length > 0 || listAt(spec, "egressDeny").length > 0,
  );
  return { kind, name: nameOf(object), isolates, allows, denies };
}

/** Cilium's own rule (pkg/policy/api, Sanitize): an empty list isolates nothing, and enableDefaultDeny decides first. */
function ciliumIsolates(spec: unknown, direction: Direction): boolean {
  const said = booleanAt(spec, "enableDefaultDeny", direction);
  return said ?? (listAt(spec, direction).length > 0 || listAt(spec, `${direction}Deny`).length > 0);
}

function endpointTakes(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  const plain = Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => [
      [key, value],
      [`k8s:${key}`, value],
      [`any:${key}`, value],
    ]),
  );
  return selectorTakes(selector, plain);
}

function ciliumRuleTakes(
  rule: unknown,
  direction: Direction,
  port: number,
  labels: Readonly<Record<string, string>>,
): boolean {
  const side = direction === "ingress" ? "from" : "to";
  const endpoints = at(rule, `${side}Endpoints`);
  const entities = textsAt(rule, `${side}Entities`);
  const others = [
    `${side}CIDR`,
    `${side}CIDRSet`,
    `${side}FQDNs`,
    `${side}Services`,
    `${side}Groups`,
    `${side}Nodes`,
  ];
  const anyPeer =
    endpoints === undefined && entities.length === 0 && others.every((key) => at(rule, key) === undefined);
  const peer =
    anyPeer ||
    entities.some((entity) => entity === "all" || entity === "cluster") ||
    listAt(rule, `${side}Endpoints`).some((selector) => endpointTakes(selector, labels));
  const ports = listAt(rule, "toPorts").flatMap((one) => listAt(one, "ports"));
  return (
    peer &&
    (at(rule, "toPorts") === undefined ||
      ports.some(
        (one) =>
          ["TCP", "ANY", undefined].includes(textAt(one, "protocol")) &&
          ["0", String(port)].includes(textAt(one, "port") ?? ""),
      ))
  );
}
