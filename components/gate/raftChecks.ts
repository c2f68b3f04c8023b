import { fail, faults, notApplicable, pass, seen, seenObject, type Check } from "./check";
import { hasMoved, replicasAreUnderWay } from "./progress";

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
