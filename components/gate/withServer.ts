import { unclear, type Judgement } from "./check";
import { server0 } from "./progress";
import type { NodeStatus } from "./readOpenBao";
import type { ClusterSnapshot } from "./snapshot";

/** Judges the seal status of the first server, or says that it gave none. */
export function withServer(
  snapshot: ClusterSnapshot,
  expected: string,
  judge: (seal: NodeStatus["seal"]) => Judgement,
): Judgement {
  const status = server0(snapshot);
  return status === undefined ? unclear("the first server gave no answer", expected) : judge(status.seal);
}
