import { fail, faults, notApplicable, pass, seen, seenObject, type Check } from "./check";
import type { CarryPath } from "../steps/carryPath";
import { valueOr } from "./observed";
import { cutoverIsUnderWay, hasMoved, replicasAreUnderWay } from "./progress";
import { withServer } from "./withServer";

/** What each data path can read. */
const FITS: Readonly<Record<CarryPath, { readonly storages: readonly string[]; readonly single: boolean }>> =
  {
    migrate: { storages: ["file"], single: false },
    restore: { storages: ["raft"], single: true },
    "restore-file": { storages: ["file", "raft"], single: false },
    reseed: { storages: ["file", "raft"], single: false },
    none: { storages: ["raft"], single: true },
  };

const UNSEALED = "initialised and unsealed";

/** What runs, and whether it can be moved. */
export const sourceChecks: readonly Check[] = [
  {
    id: "source-unsealed",
    stage: "every",
    hazard: { ids: ["I18", "F24"], loss: "a store that does not open now is not known to be whole" },
    severity: "block",
    waivable: false,
    observe: "seal-status of the first server, over a port-forward",
    judge: (snapshot, config) => {
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      if (snapshot.path === "restore-file" && !hasMoved(snapshot))
        return notApplicable("the snapshot at hand takes the source's place");
      const pod = `${config.release}-0`;
      const status = snapshot.servers[pod];
      if (status === undefined) {
        return seen(snapshot.pods, UNSEALED, () => fail(`pod ${pod} does not exist`, UNSEALED));
      }
      return seen(status, UNSEALED, ({ seal }) => {
        if (!seal.initialized) return fail(`${pod} is not initialised`, UNSEALED);
        return seal.sealed ? fail(`${pod} is sealed`, UNSEALED) : pass(`${pod} is unsealed`, UNSEALED);
      });
    },
    remedy: "kubectl logs POD; unseal it (never initialise it: a key Secret exists)",
    source: "issue 3, bad input; openbao#1423",
  },
  {
    id: "carry-fits-storage",
    stage: "cutover",
    hazard: {
      ids: ["H2", "F19"],
      loss: "a carry that cannot read the source moves nothing and reports success",
    },
    severity: "block",
    waivable: false,
    observe: "storage_type of the first server",
    judge: (snapshot, config) => {
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      if (config.carry !== "migrate" && hasMoved(snapshot)) return notApplicable("the data has moved");
      const fits = FITS[snapshot.path];
      const expected = `storage ${fits.storages.join(" or ")} for carry "${config.carry}"${fits.single ? ", with one replica that is its one Raft node" : ""}`;
      return withServer(snapshot, expected, ({ storageType }) => {
        const replicas = valueOr(snapshot.statefulSet, undefined)?.replicas ?? 1;
        const token = valueOr(snapshot.token, undefined);
        const peers = token === undefined ? 1 : valueOr(token.peers, []).length;
        const found = `storage "${storageType}"${fits.single ? `, ${replicas} replica(s), ${peers} Raft node(s)` : ""}`;
        const good = fits.storages.includes(storageType) && (!fits.single || (replicas === 1 && peers === 1));
        return good ? pass(found, expected) : fail(found, expected);
      });
    },
    remedy:
      "set openbao-migration:carry: migrate for file storage; none or restore for a source on Raft with one node",
    source: "design.md, the data paths",
  },
  {
    id: "values-match-store",
    stage: "every",
    hazard: {
      ids: ["I1", "I4", "F56"],
      loss: "the values were flipped before the data was carried: the next restart boots an empty Raft store",
    },
    severity: "block",
    waivable: false,
    observe: "mode in the HelmRelease's values against storage_type",
    judge: (snapshot) => {
      const expected = "standalone values on storage file, or ha.raft values on storage raft";
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      return seenObject(snapshot.release, "the HelmRelease", expected, ({ mode }) =>
        withServer(snapshot, expected, ({ storageType }) => {
          const found = `${mode} values, storage "${storageType}"`;
          const fits = storageType === "raft" ? mode === "raft" : mode === "standalone";
          return fits ? pass(found, expected) : fail(found, expected);
        }),
      );
    },
    remedy: "set the values back to what runs (suspend the HelmRelease first), then preview again",
    source: "openbao-helm values.yaml (OnDelete); platform#1982, #1965",
  },
  {
    id: "pod-revision",
    stage: "cutover",
    hazard: {
      ids: ["I4", "I40"],
      loss: "the roll of the cutover would bring in a change that nobody looked at",
    },
    severity: "warn",
    waivable: true,
    observe: "revision of each pod against updateRevision",
    judge: (snapshot) => {
      const expected = "every pod on the StatefulSet's updateRevision";
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      return seenObject(snapshot.statefulSet, "the StatefulSet", expected, (set) =>
        seen(snapshot.pods, expected, (pods) =>
          faults(
            pods
              .filter((pod) => pod.revision !== set.updateRevision)
              .map((pod) => `${pod.name} is on ${pod.revision || "no revision"}, not ${set.updateRevision}`),
            set.updateRevision,
            expected,
          ),
        ),
      );
    },
    remedy: "kubectl rollout history statefulset; roll the pod yourself and see it well before the cutover",
    source: "openbao-helm values.yaml (OnDelete); platform#1965",
  },
  {
    id: "replicas-numeric",
    stage: "every",
    hazard: { ids: ["I35", "H5"], loss: "a replica count that is no number renders three nodes at once" },
    severity: "block",
    waivable: false,
    observe: "server.ha.replicas in the HelmRelease's live values",
    judge: ({ release }) => {
      const expected = "absent, or an odd number without quotes";
      return seenObject(release, "the HelmRelease", expected, ({ haReplicas }) => {
        if (haReplicas.kind === "absent") return pass("absent", expected);
        const count = haReplicas.number ?? 0;
        return haReplicas.kind === "number" && Number.isInteger(count) && count % 2 === 1
          ? pass(haReplicas.shown, expected)
          : fail(`${haReplicas.kind === "text" ? "the text " : ""}${haReplicas.shown}`, expected);
      });
    },
    remedy: "write server.ha.replicas as a number: Flux substitutions stay unquoted",
    source: "openbao-helm _helpers.tpl openbao.replicas",
  },
  {
    id: "one-cluster",
    stage: "every",
    hazard: {
      ids: ["I27", "I28", "F51"],
      loss: "two clusters with one name: half of the writes go to the other one",
    },
    severity: "block",
    waivable: false,
    observe: "cluster id and leader of every server that answers",
    judge: (snapshot) => {
      const expected = "one cluster id and at most one leader";
      const up = Object.entries(snapshot.servers).flatMap(([pod, status]) =>
        status.known ? [{ pod, ...status.value }] : [],
      );
      if (up.length === 0) return notApplicable("no server answers");
      const ids = [...new Set(up.flatMap(({ seal }) => seal.clusterId ?? []))];
      const leaders = up
        .filter((one) => one.isLeader && one.seal.storageType === "raft")
        .map((one) => one.pod);
      if (ids.length > 1) return fail(`cluster ids ${ids.join(", ")}`, expected);
      if (leaders.length > 1) return fail(`leaders ${leaders.join(", ")}`, expected);
      return pass(`${ids.length} cluster id(s), ${leaders.length} Raft leader(s)`, expected);
    },
    remedy: "stop: find out which store holds the data, and keep both volumes",
    source: "mojaloop/project#4326; openbao#2274",
  },
  {
    id: "servers-unsealed",
    stage: "verify",
    hazard: { ids: ["I7", "I20"], loss: "a sealed server behind the Service answers clients with 503" },
    severity: "block",
    waivable: true,
    observe: "seal-status of every server",
    judge: (snapshot) => {
      if (!hasMoved(snapshot)) return notApplicable("the data is not on Raft yet");
      if (replicasAreUnderWay(snapshot)) return notApplicable("the replicas are being added");
      const bad = Object.entries(snapshot.servers).flatMap(([pod, status]) => {
        if (!status.known) return [`${pod}: ${status.why}`];
        return status.value.seal.sealed ? [`${pod} is sealed`] : [];
      });
      return faults(bad, `${Object.keys(snapshot.servers).length} unsealed`, "every server unsealed");
    },
    remedy: "unseal it with the stored key; a server that hangs holds a wrong key: delete its pod first",
    source: "platform#1964, #2055; facts/openbao.md section 4",
  },
];
