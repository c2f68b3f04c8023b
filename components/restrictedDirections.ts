import { valueOr } from "./gate/observed";
import type { ClusterSnapshot } from "./gate/snapshot";
import { POLICY_NAME, type Direction } from "./raftNetworkPolicy";

/** The directions in which NetworkPolicies other than ours restrict the server's pods. */
export function restrictedDirections(snapshot: ClusterSnapshot): Direction[] {
  const policies = valueOr(snapshot.policies, []).filter((policy) => policy.name !== POLICY_NAME);
  const isolated = new Set(policies.flatMap((policy) => policy.isolates));
  return [
    ...(isolated.has("ingress") ? ["Ingress" as const] : []),
    ...(isolated.has("egress") ? ["Egress" as const] : []),
  ];
}
