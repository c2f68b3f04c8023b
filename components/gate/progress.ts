import { STAGES, type Stage } from "../../config";
import { hasArrived } from "../steps/carryPath";
import { planSteps } from "../steps/plan";
import { valueOr } from "./observed";
import { openRaftPorts } from "./raftPorts";
import type { NodeStatus } from "./readOpenBao";
import type { ClusterSnapshot } from "./snapshot";

/** The server `<release>-0`, when it answered. */
export function server0(snapshot: ClusterSnapshot): NodeStatus | undefined {
  const first = Object.keys(snapshot.servers).find((pod) => pod.endsWith("-0"));
  const status = first === undefined ? undefined : snapshot.servers[first];
  return status?.known === true ? status.value : undefined;
}

/**
 * True when the data lies on Raft: no step of before the cutover may act any more. An empty Raft server, as a blind
 * flip starts it, is not initialised; a follower only is once it has met the leader. A source on Raft has moved when
 * the journal says so.
 */
export function hasMoved(snapshot: ClusterSnapshot): boolean {
  const journal = valueOr(snapshot.journal, []);
  const done = (step: string) => journal.some((entry) => entry.step === step && entry.beat === "done");
  return Object.values(snapshot.servers).some(
    (status) => status.known && hasArrived(snapshot.path, status.value.seal, done),
  );
}

/**
 * True between the pause of the HelmRelease by this program and the first unsealed answer of Raft: the server is
 * down, or sealed, on purpose.
 */
export function cutoverIsUnderWay(snapshot: ClusterSnapshot): boolean {
  const paused = valueOr(snapshot.release, undefined)?.pausedByUs === true;
  const one = (valueOr(snapshot.statefulSet, undefined)?.replicas ?? 1) <= 1;
  return paused && one && !(hasMoved(snapshot) && server0(snapshot)?.seal.sealed === false);
}

/** True once the replica count was raised: followers may be sealed or not yet voters while the program works on them. */
export function replicasAreUnderWay(snapshot: ClusterSnapshot): boolean {
  const set = valueOr(snapshot.statefulSet, undefined);
  return hasMoved(snapshot) && (set?.replicas ?? 0) > 1 && !hasQuorumOfAll(snapshot);
}

/** The furthest stage that is done, judged by the world; the journal counts only where the world shows nothing. */
export function observedStage(snapshot: ClusterSnapshot): Stage | "none" {
  if (hasMoved(snapshot)) {
    if (!hasQuorumOfAll(snapshot)) return "cutover";
    if (!journalHas(snapshot, "verify")) return "replicas";
    return journalHas(snapshot, "land") ? "land" : "verify";
  }
  if (!openRaftPorts(snapshot).open) return "none";
  return journalHas(snapshot, "backup") ? "backup" : "network";
}

/** True when `stage` is done, by `observed`. */
export function isDone(observed: Stage | "none", stage: Stage): boolean {
  return observed !== "none" && STAGES.indexOf(stage) <= STAGES.indexOf(observed);
}

/** Every replica that the StatefulSet asks for, three at least, is a voter. */
function hasQuorumOfAll(snapshot: ClusterSnapshot): boolean {
  const wanted = valueOr(snapshot.statefulSet, undefined)?.replicas ?? 0;
  const token = valueOr(snapshot.token, undefined);
  const peers = token === undefined ? [] : valueOr(token.peers, []);
  return wanted >= 3 && peers.filter((peer) => peer.voter).length === wanted;
}

function journalHas(snapshot: ClusterSnapshot, stage: Stage): boolean {
  const entries = valueOr(snapshot.journal, []);
  // A follower's step id depends on the replica count, which the journal alone cannot tell: they are judged by the world.
  // A step that only some configs ask for is no sign: another config may have taken this cluster here.
  const steps = planSteps("x", 3, snapshot.path).filter(
    (step) => step.stage === stage && step.needs === undefined,
  );
  return steps.every((step) => entries.some((entry) => entry.step === step.id && entry.beat === "done"));
}
