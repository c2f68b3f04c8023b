import { RAFT_PORTS, type PolicyView } from "./readPolicies";
import type { ClusterSnapshot } from "./snapshot";

const PAIRS = (["ingress", "egress"] as const).flatMap((direction) =>
  RAFT_PORTS.map((port) => ({ direction, port })),
);

/** What the policies, added up, say on 8200 and 8201 between server pods. Reading is not proof: stage network also connects. */
export function openRaftPorts(snapshot: ClusterSnapshot): {
  readonly known: boolean;
  readonly open: boolean;
  readonly closed: readonly string[];
} {
  const { policies, ciliumPolicies } = snapshot;
  if (!policies.known || !ciliumPolicies.known) return { known: false, open: false, closed: [] };
  // The two kinds are enforced each for itself: a connection must pass both.
  const closed = [...closedBy(policies.value), ...closedBy(ciliumPolicies.value ?? [])];
  return { known: true, open: closed.length === 0, closed };
}

function closedBy(policies: readonly PolicyView[]): string[] {
  return PAIRS.filter(({ direction, port }) => {
    const isolating = policies.filter((policy) => policy.isolates.includes(direction));
    return (
      isolating.length > 0 && !isolating.some((policy) => policy.allows.includes(`${direction} ${port}`))
    );
  }).map(({ direction, port }) => `${direction} ${port} (${policies[0]!.kind})`);
}
