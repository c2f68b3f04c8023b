import { fail, faults, notApplicable, pass, seen, unclear, type Check, type Judgement } from "./check";
import { timeOf } from "./fields";
import { valueOr } from "./observed";
import { cutoverIsUnderWay, hasMoved, server0 } from "./progress";
import type { ClusterSnapshot } from "./snapshot";

const HOUR = 3_600_000;
/** A daily backup that missed one turn. */
const VELERO_HOURS = 48;
/** Two days of writes are missing in an older copy. */
const COPY_HOURS = 48;

/** What else holds the content, and the key, should the move fail. Judged by what was stored, never by a Job's status. */
export const backupChecks: readonly Check[] = [
  {
    id: "snapshot-jobs",
    stage: "backup",
    hazard: { ids: ["H2", "I24"], loss: "a Job that reports success every night has stored nothing" },
    severity: "warn",
    waivable: true,
    observe: "Jobs and CronJobs of the namespace that take Raft snapshots, against storage_type",
    judge: (snapshot) => {
      const expected = "no Raft snapshot of file storage: there is no such thing";
      if (beyondBackup(snapshot)) return notApplicable("the data was copied already");
      if (server0(snapshot)?.seal.storageType === "raft") return notApplicable("the store is on Raft");
      return seen(snapshot.cronJobs, expected, (cronJobs) =>
        seen(snapshot.jobs, expected, (jobs) =>
          faults(
            [
              ...cronJobs
                .filter((one) => one.takesSnapshots)
                .map(
                  (one) =>
                    `CronJob ${one.name} (${one.lastSuccess === undefined ? "never successful" : `"successful" ${one.lastSuccess}`})`,
                ),
              ...jobs.filter((one) => one.takesSnapshots && !one.ours).map((one) => `Job ${one.name}`),
            ],
            "none",
            expected,
          ),
        ),
      );
    },
    remedy: "do not count on it: stage backup makes a copy of its own and checks it by content",
    source: "facts/openbao.md section 6; platform#1983, #2017; vault-raft-backup-agent#34",
  },
  {
    id: "copy-fresh",
    stage: "cutover",
    hazard: { ids: ["F30"], loss: "the copy to fall back to lacks what was written since" },
    severity: "warn",
    waivable: true,
    observe: "age and content of the copy that step file-copy journalled",
    judge: (snapshot) => {
      const expected = `a copy of entries and bytes, at most ${COPY_HOURS} hours old`;
      if (beyondBackup(snapshot)) return notApplicable("the data was carried, or is being carried");
      return seen(snapshot.journal, expected, (entries) => {
        const copy = entries.filter((one) => one.step === "file-copy" && one.beat === "done").at(-1);
        if (copy === undefined) return notApplicable("stage backup makes it");
        const { entries: count, bytes } = copy.observed;
        if (!(Number(count) > 0 && Number(bytes) > 0))
          return fail(`${String(count)} entries, ${String(bytes)} bytes`, expected);
        return aged(snapshot, copy.time, COPY_HOURS, `${String(count)} entries`, expected);
      });
    },
    remedy:
      "take a VolumeSnapshot or a Velero backup of data-<release>-0; the move itself carries what is live",
    source: "hazards.md row 30",
  },
  {
    id: "velero-readable",
    stage: "cutover",
    hazard: { ids: ["I25"], loss: "whether the off-site backup holds OpenBao's volume stays unknown" },
    severity: "warn",
    waivable: true,
    observe: "Velero's Backups, in every namespace",
    judge: ({ velero }) =>
      velero.known
        ? pass(velero.value === undefined ? "no Velero here" : "read", "readable")
        : {
            verdict: "fail",
            found: velero.why,
            expected: "Velero's Backups can be listed, or it is not installed",
          },
    remedy: "kubectl get backups.velero.io -A with this user; or look at the newest backup yourself",
    source: "platform#1996",
  },
  {
    id: "velero-backup",
    stage: "cutover",
    hazard: {
      ids: ["I25", "F30", "F31"],
      loss: "the one copy off the volume is partial, old, or lacks OpenBao's data",
    },
    severity: "block",
    waivable: true,
    observe:
      "newest Velero Backup of the namespace: phase, age, and the volumes that it holds: by pod volumes, data uploads, VolumeSnapshots, or as many snapshots as bound claims",
    judge: (snapshot, { release }) => {
      const expected = `Completed, at most ${VELERO_HOURS} hours old, with volume data of ${release}-0`;
      if (beyondBackup(snapshot)) return notApplicable("the data was carried, or is being carried");
      // A namespaced user may not list them; velero-readable says so.
      if (!snapshot.velero.known) return notApplicable("Velero's Backups could not be listed");
      if (snapshot.velero.value === undefined) return notApplicable("no Velero here");
      const { newest } = snapshot.velero.value;
      if (newest === undefined) return fail("no backup takes in this namespace", expected);
      if (newest.phase !== "Completed") return fail(`${newest.name} is ${newest.phase}`, expected);
      const holds = newest.volumes.some((one) => [`${release}-0/data`, `data-${release}-0`].includes(one));
      if (!holds && newest.snapshots.completed === 0) {
        return fail(
          `${newest.name} holds ${newest.volumes.join(", ") || "no volume"} of this namespace`,
          expected,
        );
      }
      const age = aged(snapshot, newest.completedAt, VELERO_HOURS, newest.name, expected);
      if (holds || age.verdict === "fail") return age;
      const { attempted, completed, errors, claims, own = [], narrowed } = newest.snapshots;
      const found = `${newest.name} holds ${completed} of ${attempted} volume snapshot(s)`;
      if (completed < attempted || errors > 0) return fail(`${found}, ${errors} error(s)`, expected);
      // As many snapshots as bound claims, and nothing left out by the spec: this claim is among them.
      const taken = own.includes(`data-${release}-0`);
      if (claims !== undefined && taken && completed >= claims && narrowed.length === 0)
        return pass(`${found}, one for each of ${claims} bound claim(s)`, expected);
      const counted = claims === undefined ? "claims that could not be counted" : `${claims} bound claim(s)`;
      const cut = narrowed.length === 0 ? "" : `, and its spec has ${narrowed.join(", ")}`;
      return unclear(`${found} for ${counted}${cut}: ${release}-0 may be none of them`, expected);
    },
    remedy:
      "velero backup create NAME --include-namespaces NAMESPACE --wait, while the server runs; look at its warnings",
    source: "platform#1996, #1979, #2021; facts/environment.md section 8",
  },
  {
    id: "key-copies",
    stage: "cutover",
    hazard: {
      ids: ["H6", "I49"],
      loss: "the copy of the key that is called the source of truth opens nothing",
    },
    severity: "warn",
    waivable: true,
    observe: "Secrets of the key Secret's name in the Git checkout, compared by a digest with the live one",
    judge: ({ keyCopies }) => {
      const expected = "every copy in Git holds the live key";
      return seen(keyCopies, expected, (copies) => {
        if (copies === undefined) return notApplicable("no checkout is configured");
        const said = {
          differs: "another key",
          "without-key": "no key",
          encrypted: "encrypted: which key is not known",
        };
        return faults(
          copies.flatMap(({ path, state }) => (state === "same" ? [] : [`${path}: ${said[state]}`])),
          copies.length === 0 ? "none in Git" : `${copies.length} equal`,
          expected,
        );
      });
    },
    remedy:
      "step key-proof shows which key is right; put it into the other copy (sops FILE for an encrypted one)",
    source: "docs/dr/openbao.md of the platform; platform#1979",
  },
  {
    id: "key-copies-generation",
    stage: "cutover",
    hazard: {
      ids: ["H6", "I49"],
      loss: "Flux, or a person after a disaster, puts keys of another store over the right ones",
    },
    severity: "block",
    waivable: true,
    observe: "Secrets of the key Secret's name that lie in plain text in the Git checkout",
    judge: (snapshot) => {
      const expected = "the live key, or none";
      if (snapshot.path === "reseed") return notApplicable("this data path makes new keys");
      if (beyondBackup(snapshot)) return notApplicable("the data was carried, or is being carried");
      // What could not be read, or is encrypted, key-copies tells.
      const copies = valueOr(snapshot.keyCopies, undefined);
      if (copies === undefined) return notApplicable("no checkout that could be read");
      return faults(
        copies.flatMap(({ path, state }) => (state === "differs" ? [`${path}: another key`] : [])),
        "none differs",
        expected,
      );
    },
    remedy:
      "step key-proof shows which key is right; put it into the other copy, or take that one out of Git; waive it where it is another environment's",
    source: "hazards.md H6; platform#1979",
  },
];

function beyondBackup(snapshot: ClusterSnapshot): boolean {
  return hasMoved(snapshot) || cutoverIsUnderWay(snapshot);
}

function aged(
  snapshot: ClusterSnapshot,
  time: string,
  hours: number,
  what: string,
  expected: string,
): Judgement {
  const since = timeOf(time);
  if (since === undefined) return fail(`${what} has no time`, expected);
  const age = Math.floor(((timeOf(snapshot.takenAt) ?? 0) - since) / HOUR);
  return age <= hours
    ? pass(`${what}, ${Math.max(0, age)} hours old`, expected)
    : fail(`${what} is ${age} hours old`, expected);
}
