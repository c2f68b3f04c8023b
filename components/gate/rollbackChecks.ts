import { ageWords, landedRefusal, OTHER_PATH, rollbackState } from "../steps/rollbackState";
import { fail, notApplicable, pass, seen, seenObject, unclear, type Check } from "./check";
import { hasMoved } from "./progress";
import type { ClusterSnapshot } from "./snapshot";

/** The way back, and what it must have; the first guards the way forward from a rollback that was left half done. */
export const rollbackChecks: readonly Check[] = [
  {
    id: "rollback-finished",
    stage: "every",
    hazard: {
      ids: ["F67", "F68"],
      loss: "the way forward would build on a move that is half taken back",
    },
    severity: "block",
    waivable: false,
    observe: "the journal: a rollback that began and has not ended",
    judge: ({ journal }) => {
      const expected = "no rollback under way";
      return seen(journal, expected, (entries) =>
        rollbackState(entries).underWay ? fail("a rollback has begun", expected) : pass("none", expected),
      );
    },
    remedy: "pulumi config set openbao-migration:rollback true; pulumi up finishes it",
    source: "issue 5; hazards.md rows 67, 68",
  },
  {
    id: "rollback-not-landed",
    stage: "rollback",
    hazard: { ids: ["F67"], loss: "every write since the cutover would be lost" },
    severity: "block",
    waivable: false,
    observe: "step resume in the journal; the mark of the pause on the HelmRelease",
    judge: (snapshot) => {
      const expected = "a move that has not landed";
      return seen(snapshot.journal, expected, (entries) =>
        seenObject(snapshot.release, "the HelmRelease", expected, ({ mode, pausedByUs }) => {
          const state = rollbackState(entries);
          const resumed = mode === "raft" && !pausedByUs && !state.underWay;
          return state.landedAt !== undefined || resumed
            ? fail(landedRefusal(state, new Date(snapshot.takenAt)), expected)
            : pass("not landed", expected);
        }),
      );
    },
    remedy: "pulumi config set openbao-migration:rollback false; repair Raft instead (bao operator raft)",
    source: "issue 5; design.md, stage land",
  },
  {
    id: "rollback-old-values",
    stage: "rollback",
    hazard: { ids: ["I1", "I35"], loss: "the server would start with values that nobody chose" },
    severity: "block",
    waivable: false,
    observe: "mode in the HelmRelease's values, and the record of the old ones in its annotation",
    judge: ({ release }) => {
      const expected = "standalone values, or a record of them from step pause";
      return seenObject(release, "the HelmRelease", expected, ({ mode, keepsOriginalValues }) => {
        if (mode === "standalone") return pass("standalone", expected);
        return keepsOriginalValues
          ? pass(`${mode}, old values recorded`, expected)
          : fail(`${mode}, no record`, expected);
      });
    },
    remedy: "set server.standalone.enabled: true and server.ha.enabled: false by hand (README, going back)",
    source: "issue 5",
  },
  {
    id: "rollback-file-data",
    stage: "rollback",
    hazard: { ids: ["I18", "F38"], loss: "the standalone server would start without its data" },
    severity: "block",
    waivable: false,
    observe: "claim data-<release>-0, and cleanup in the journal; the rollback's Job looks at the files",
    judge: (snapshot, { release }) => {
      const name = `data-${release}-0`;
      const expected = `claim ${name} is Bound and still holds the file storage`;
      return seen(snapshot.claims, expected, (claims) =>
        seen(snapshot.journal, expected, (entries) => {
          const claim = claims.find((one) => one.name === name);
          if (claim === undefined) return fail(`no claim ${name}`, expected);
          if (claim.terminating || claim.phase !== "Bound") {
            return fail(claim.terminating ? "it is being deleted" : claim.phase || "no phase", expected);
          }
          const state = rollbackState(entries);
          if (state.otherPath) return fail(OTHER_PATH, expected);
          return state.cleanedUp
            ? fail("stage cleanup removed it", expected)
            : pass(`volume ${claim.volume}`, expected);
        }),
      );
    },
    remedy: "kubectl describe pvc CLAIM",
    source: "issue 5; hazards.md row 38",
  },
  {
    id: "rollback-loss",
    stage: "rollback",
    hazard: { ids: ["F67"], loss: "writes that were made on Raft are not in the file storage" },
    severity: "warn",
    waivable: true,
    observe: "the time of the stop in the journal, and whether Raft holds the data",
    judge: (snapshot) => lossOf(snapshot),
    remedy: "know it: the rollback counts the entries; Raft's files stay on the volumes, in rolled-back/",
    source: "issue 5; hazards.md row 67",
  },
];

function lossOf(snapshot: ClusterSnapshot) {
  const expected = "no write on Raft";
  return seen(snapshot.journal, expected, (entries) => {
    const { fileDataAsOf } = rollbackState(entries);
    if (fileDataAsOf === undefined && !hasMoved(snapshot)) return notApplicable("the server was not stopped");
    const carried = entries.some((entry) => entry.step === "roll" && entry.beat === "act");
    if (!carried && !hasMoved(snapshot)) return pass("no server has run on Raft", expected);
    if (fileDataAsOf === undefined)
      return unclear("the journal does not say when the server was stopped", expected);
    const age = ageWords(fileDataAsOf, new Date(snapshot.takenAt));
    return fail(`the file storage is as of ${age}; what was written since is lost`, expected);
  });
}
