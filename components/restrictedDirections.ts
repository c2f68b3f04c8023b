import { valueOr } from "./gate/observed";
import { POLICY_NAME, type PolicyView } from "./gate/readPolicies";
import type { ClusterSnapshot } from "./gate/snapshot";
import type { Direction } from "./raftPolicyObjects";

/** Directions that policies other than ours restrict, apart for the two kinds: each is opened in its own. */
export interface RestrictedDirections {
  readonly kubernetes: readonly Direction[];
  /** By CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies; none without Cilium. */
  readonly cilium: readonly Direction[];
}

/** The directions in which policies other than ours restrict the server's pods. */
export function restrictedDirections(snapshot: ClusterSnapshot): RestrictedDirections {
  return {
    kubernetes: isolatedBy(valueOr(snapshot.policies, [])),
    cilium: isolatedBy(valueOr(snapshot.ciliumPolicies, undefined) ?? []),
  };
}

function isolatedBy(policies: readonly PolicyView[]): Direction[] {
  const others = policies.filter((policy) => policy.name !== POLICY_NAME);
  const isolated = new Set(others.flatMap((policy) => policy.isolates));
  return [
    ...(isolated.has("ingress") ? ["Ingress" as const] : []),
    ...(isolated.has("egress") ? ["Egress" as const] : []),
  ];
}
