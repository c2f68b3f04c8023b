import type { V1Namespace, V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import { compilePolicies, type Direction, type DirectionRules, type PortMatch } from "./compilePolicies";
import { formatIPv4, type Range } from "./ranges";

/** The nft table that holds a node's rules, family inet. */
export const tableName = "obr-netpol";

/**
 * The nft script that makes one node enforce the policies: replaces the whole table in one transaction.
 * Rules match on sets of addresses, so a pod that comes or goes changes elements and not the rules.
 */
export function rulesetFor(
  node: string,
  pods: readonly V1Pod[],
  namespaces: readonly V1Namespace[],
  policies: readonly V1NetworkPolicy[],
): string {
  const compiled = compilePolicies(node, pods, namespaces, policies);
  const ingress = renderDirection("ingress", compiled.ingress);
  const egress = renderDirection("egress", compiled.egress);
  const samePod = compiled.pods.map(formatIPv4).map((address) => `${address} . ${address}`);
  return [
    `add table inet ${tableName}`,
    `delete table inet ${tableName}`,
    `table inet ${tableName} {`,
    ...set("same-pod", "type ipv4_addr . ipv4_addr;", samePod),
    ...egress.sets,
    ...ingress.sets,
    // Forward only: what the node itself sends to its pods, or they to it, passes input and output.
    "  chain forward {",
    "    type filter hook forward priority filter; policy accept;",
    "    ct state established,related accept",
    "    ip saddr . ip daddr @same-pod accept",
    "    ip saddr @egress-isolated jump egress",
    "    ip daddr @ingress-isolated jump ingress",
    "  }",
    ...egress.chain,
    ...ingress.chain,
    "}",
    "",
  ].join("\n");
}

function renderDirection(
  direction: Direction,
  { isolated, rules }: DirectionRules,
): { sets: string[]; chain: string[] } {
  const [podSide, peerSide] = direction === "ingress" ? ["daddr", "saddr"] : ["saddr", "daddr"];
  const sets = addressSet(`${direction}-isolated`, isolated);
  const chain = [`  chain ${direction} {`];
  rules.forEach(({ policy, pods, peers, ports }, index) => {
    const name = `${direction}-${index}`;
    sets.push(...addressSet(`${name}-pods`, pods));
    if (peers) sets.push(...addressSet(`${name}-peers`, peers));
    const match = `ip ${podSide} @${name}-pods${peers ? ` ip ${peerSide} @${name}-peers` : ""}`;
    for (const port of ports ? ports.map(portMatch) : [""]) {
      // nft holds at most 128 bytes of comment.
      chain.push(`    ${match}${port} return comment "${policy.slice(0, 120)}"`);
    }
  });
  return { sets, chain: [...chain, "    counter drop", "  }"] };
}

function portMatch({ protocol, ports }: PortMatch): string {
  if (!ports) return ` meta l4proto ${protocol}`;
  return ` ${protocol} dport { ${ports.map((range) => interval(range, String)).join(", ")} }`;
}

function addressSet(name: string, ranges: readonly Range[]): string[] {
  const elements = ranges.map((range) => interval(range, formatIPv4));
  return set(name, "type ipv4_addr; flags interval;", elements);
}

function set(name: string, type: string, elements: readonly string[]): string[] {
  const filled = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return [`  set ${name} { ${type}${filled} }`];
}

function interval({ from, to }: Range, format: (value: number) => string): string {
  return from === to ? format(from) : `${format(from)}-${format(to)}`;
}
