import { RAFT_PORTS } from "./gate/readPolicies";

/** Name of the Talos document; a second run finds it by this name. */
export const RULE_NAME = "openbao-raft";

/** Talos' NetworkRuleConfig (v1alpha1). */
export interface NetworkRule {
  readonly apiVersion: "v1alpha1";
  readonly kind: "NetworkRuleConfig";
  readonly name: string;
  readonly portSelector: { readonly ports: readonly number[]; readonly protocol: "tcp" };
  readonly ingress: readonly { readonly subnet: string }[];
}

/**
 * Pure: lets nodes reach nodes on both Raft ports. Pods' packets cross Talos' ingress firewall with a node's address
 * where the CNI masquerades, and a join needs 8200 as well as 8201 (hazard H4, facts/environment.md section 7).
 */
export function networkRule(nodeSubnets: readonly string[]): NetworkRule {
  return {
    apiVersion: "v1alpha1",
    kind: "NetworkRuleConfig",
    name: RULE_NAME,
    portSelector: { ports: [...RAFT_PORTS], protocol: "tcp" },
    ingress: nodeSubnets.map((subnet) => ({ subnet })),
  };
}
