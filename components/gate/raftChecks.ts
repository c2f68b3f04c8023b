import { fail, faults, notApplicable, pass, seen, seenObject, type Check } from "./check";
import { valueOr } from "./observed";
import { hasMoved, replicasAreUnderWay } from "./progress";
import type { BudgetView } from "./readNetwork";

/** The Raft cluster, once there is one, and what its rollout needs. */
export const raftChecks: readonly Check[] = [
  {
    id: "ordered-ready-probe",
    stage: "replicas",
    hazard: {
      ids: ["I5", "I8"],
      loss: "a sealed follower is never Ready, and an ordered StatefulSet waits for it for ever",
    },
    severity: "warn",
    waivable: true,
    observe: "pod management policy and readiness probe of the StatefulSet",
    judge: ({ statefulSet }) => {
      const expected = "a probe that accepts sealed and uninitialised, or parallel pods";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) => {
        const path = set.readinessPath ?? "";
        const lenient =
          set.readiness === "http" && /sealedcode=2\d\d/.test(path) && /uninitcode=2\d\d/.test(path);
        const found = `${set.podManagementPolicy}, ${set.readiness} probe ${path}`.trim();
        return lenient || set.podManagementPolicy === "Parallel" || set.readiness === "none"
          ? pass(found, expected)
          : fail(found, expected);
      });
    },
    remedy:
      "readinessProbe.path: /v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204 (else slower, one by one)",
    source: "planton#473; facts/environment.md section 2",
  },
  {
    id: "hook-wait",
    stage: "replicas",
    hazard: {
      ids: ["F49", "I31"],
      loss: "time: while the hook waits, a follower has no address in DNS, and the leader cannot reach it",
    },
    severity: "warn",
    waivable: true,
    observe: "postStart hook of the server: rounds of its loop and length of its sleep",
    judge: ({ statefulSet }, config) => {
      const expected = "a hook that ends at once, or none";
      return seenObject(statefulSet, "the StatefulSet", expected, ({ hook }) => {
        if (hook === undefined) return pass("none that waits", expected);
        if (hook.seconds === undefined) return fail(`it ${hook.how}`, expected);
        const all = Math.ceil((hook.seconds * (config.replicas - 1)) / 60);
        return fail(
          `${hook.how}: up to ${hook.seconds} s a follower, ${all} min in stage replicas; it resolves itself when the hook ends`,
          expected,
        );
      });
    },
    remedy:
      "nothing to do but wait; shorter: fewer rounds in server.postStart, and podTimeoutSeconds above its wait",
    source: "seen on the rehearsal cluster: the kubelet reports no pod address before postStart has ended",
  },
  {
    id: "disruption-budget-value",
    stage: "verify",
    hazard: {
      ids: ["I36", "F58", "F43"],
      loss: "a drain hangs for ever, or takes so many servers at once that no leader is left",
    },
    severity: "warn",
    waivable: true,
    observe: "maxUnavailable or minAvailable of the budget on the servers; before the move, of the values",
    judge: ({ budgets, release, statefulSet }, config) => {
      const most = Math.floor((config.replicas - 1) / 2);
      const expected = `1 to ${most} of ${config.replicas} servers may be away`;
      return seenObject(release, "the HelmRelease", expected, ({ pdbMaxUnavailable }) =>
        seen(budgets, expected, (all) => {
          // The chart's budget of one server lets none go (I36): it counts once all replicas are there.
          const complete = (valueOr(statefulSet, undefined)?.replicas ?? 0) >= config.replicas;
          const away = complete
            ? all.filter((one) => one.selectsServer).map((one) => awayOf(one, config.replicas))
            : pdbMaxUnavailable.kind === "absent"
              ? []
              : [countOf(pdbMaxUnavailable.shown.replaceAll('"', ""), config.replicas)];
          return faults(
            away.filter((n) => !(n >= 1 && n <= most)).map((n) => `${n} may be away`),
            away.length === 0 ? "counted by the chart" : `${away.join(", ")} may be away`,
            expected,
          );
        }),
      );
    },
    remedy: "server.ha.disruptionBudget.maxUnavailable: leave it out, the chart counts it from the replicas",
    source: "openbao-helm _helpers.tpl openbao.pdb.maxUnavailable; platform#2028",
  },
  {
    id: "liveness-probe",
    stage: "cutover",
    hazard: { ids: ["I8"], loss: "a liveness probe kills a sealed server before it can be unsealed" },
    severity: "warn",
    waivable: true,
    observe: "liveness probe of the StatefulSet",
    judge: ({ statefulSet }) => {
      const expected = "no liveness probe during the move";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        set.hasLiveness ? fail("a liveness probe", expected) : pass("none", expected),
      );
    },
    remedy: "server.livenessProbe.enabled: false until the move is done",
    source: "facts/environment.md section 2",
  },
  {
    id: "raft-node-id",
    stage: "verify",
    hazard: { ids: ["I15"], loss: "a node under a random id cannot be told from a stranger after a restart" },
    severity: "block",
    waivable: true,
    observe: "node ids in the Raft configuration against the pod names",
    judge: (snapshot) => {
      const expected = "each Raft node id is the name of a pod";
      if (!hasMoved(snapshot)) return notApplicable("the data is not on Raft yet");
      if (replicasAreUnderWay(snapshot)) return notApplicable("the replicas are being added");
      return seen(snapshot.token, expected, ({ peers }) =>
        seen(peers, expected, (list) => {
          const pods = Object.keys(snapshot.servers);
          return faults(
            list.filter((peer) => !pods.includes(peer.nodeId)).map((peer) => peer.nodeId),
            `${list.length} node(s)`,
            expected,
          );
        }),
      );
    },
    remedy: "bao operator raft list-peers; remove a peer that has no pod, by its id",
    source: "facts/openbao.md section 5",
  },
  {
    id: "raft-voters",
    stage: "verify",
    hazard: {
      ids: ["F42", "F43"],
      loss: "a cluster without all its voters does not survive the loss of a node",
    },
    severity: "block",
    waivable: false,
    observe: "voters in the Raft configuration",
    judge: (snapshot, config) => {
      const expected = `${config.replicas} voters and one leader`;
      if (!hasMoved(snapshot)) return notApplicable("the data is not on Raft yet");
      if (!snapshot.statefulSet.known || snapshot.statefulSet.value === undefined) {
        return notApplicable("the StatefulSet is not known");
      }
      if (snapshot.statefulSet.value.replicas < config.replicas || replicasAreUnderWay(snapshot)) {
        return notApplicable("stage replicas adds them");
      }
      return seen(snapshot.token, expected, ({ peers }) =>
        seen(peers, expected, (list) => {
          const voters = list.filter((peer) => peer.voter).length;
          const leaders = list.filter((peer) => peer.leader).length;
          const found = `${voters} voter(s), ${leaders} leader(s)`;
          return voters === config.replicas && leaders === 1 ? pass(found, expected) : fail(found, expected);
        }),
      );
    },
    remedy: "pulumi up with openbao-migration:stage replicas; kubectl logs of the server that is missing",
    source: "hazards.md rows 42, 43",
  },
  {
    id: "update-on-delete",
    stage: "cutover",
    hazard: { ids: ["I4", "F40"], loss: "a rolling update restarts servers while the program adds them" },
    severity: "warn",
    waivable: true,
    observe: "update strategy of the StatefulSet",
    judge: ({ statefulSet }) => {
      const expected = "OnDelete: the program rolls each pod itself";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        set.updateStrategy === "OnDelete" ? pass("OnDelete", expected) : fail(set.updateStrategy, expected),
      );
    },
    remedy: "server.updateStrategyType: OnDelete",
    source: "openbao-helm values.yaml",
  },
];

/** Servers that a budget lets go at once; NaN when it does not say. */
function awayOf(budget: BudgetView, replicas: number): number {
  if (budget.maxUnavailable !== undefined) return countOf(budget.maxUnavailable, replicas);
  return budget.minAvailable === undefined ? Number.NaN : replicas - countOf(budget.minAvailable, replicas);
}

/** "1" or "34%", which Kubernetes rounds up. */
function countOf(text: string, replicas: number): number {
  const percent = /^(\d{1,3})%$/.exec(text)?.[1];
  if (percent !== undefined) return Math.ceil((Number(percent) / 100) * replicas);
  return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
}
