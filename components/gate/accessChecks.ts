import { STAGES } from "../../config";
import { fail, faults, notApplicable, pass, seen, type Check, type Judgement } from "./check";
import { timeOf } from "./fields";
import { ROLLBACK_ASKS } from "./readAccess";
import type { ClusterSnapshot } from "./snapshot";

/** What this user may do, who else is at work, and the Git checkout. */
export const accessChecks: readonly Check[] = [
  {
    id: "no-other-run",
    stage: "every",
    hazard: { ids: ["F8", "F9", "F10"], loss: "two runs act on one store, and neither knows of the other" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the Lease of this program and its holder",
    judge: ({ lease, takenAt }) => {
      const expected = "nobody holds the Lease";
      return seen(lease, expected, (held) => {
        if (held === undefined || held.holder === "") return pass("free", expected);
        if (held.holderEnded) return pass(`left by ${held.holder}, which has ended`, expected);
        const now = timeOf(takenAt) ?? 0;
        const renewed = timeOf(held.renewTime);
        if (renewed === undefined || now <= renewed + held.durationSeconds * 1000) {
          return fail(`${held.holder}, renewed ${held.renewTime || "at an unknown time"}`, expected);
        }
        return pass(`${held.holder} let it run out at ${held.renewTime}`, expected);
      });
    },
    remedy: "wait until that run has ended; a run that died frees the Lease by itself within a minute",
    source: "pulumi pkg/backend/diy/lock.go; hazards.md rows 8-10",
  },
  {
    id: "journal-readable",
    stage: "every",
    hazard: {
      ids: ["F5", "F66"],
      loss: "a run that cannot read what was done takes a later state for an earlier one",
    },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the journal of this program",
    judge: ({ journal }) => {
      const expected = "a journal that can be read, or none yet";
      return seen(journal, expected, (entries) => pass(`${entries.length} entries`, expected));
    },
    remedy: "kubectl auth can-i get configmaps -n NAMESPACE",
    source: "design.md rule 3; hazards.md rows 5, 66",
  },
  {
    id: "rights",
    stage: "every",
    hazard: { ids: ["F59"], loss: "a right that is missing is met in the middle of the downtime" },
    severity: "block",
    waivable: true,
    alsoRollback: true,
    observe: "SelfSubjectAccessReviews for the verbs of each stage up to the configured one",
    judge: ({ access }, config) => {
      const expected = "every right of the stages up to the configured one";
      const furthest = config.rollback ? ROLLBACK_ASKS : config.stage;
      return seen(access, expected, ({ asked, denied }) =>
        faults(
          denied
            .filter((one) => STAGES.indexOf(one.stage) <= STAGES.indexOf(furthest))
            .map((one) => `${one.right} (stage ${one.stage})`),
          `${asked.length} rights`,
          expected,
        ),
      );
    },
    remedy: "kubectl auth can-i --list -n NAMESPACE; bind a Role with the missing verbs",
    source: "hazards.md row 59",
  },
  {
    id: "git-checkout",
    stage: "land",
    hazard: { ids: ["F69"], loss: "the cluster has moved, and Git would move it back" },
    severity: "block",
    waivable: false,
    observe: "the checkout's folder, its repository, the files of the config and the policies openbao-raft",
    judge: (snapshot, config) =>
      withCheckout(
        snapshot,
        "a Git checkout with the files of the config",
        ({ folder, files, refused }, expected) => {
          if (folder !== "repository")
            return fail(`${config.git?.checkout ?? ""} is ${SAID[folder]}`, expected);
          const absent = files.filter((file) => file.state !== "file");
          return faults(
            [
              ...absent.map((file) => `${file.path}: ${SAID[file.state]}`),
              ...(refused === undefined ? [] : [refused]),
            ],
            `${files.length} file(s)`,
            expected,
          );
        },
      ),
    remedy:
      "pulumi config set --path openbao-migration:git.checkout FOLDER (and git.helmRelease, git.variables, git.networkPolicy)",
    source: "hazards.md row 69",
  },
  {
    id: "git-clean",
    stage: "land",
    hazard: {
      ids: ["F69"],
      loss: "changes that are not committed would be mixed into the commits of stage land",
    },
    severity: "block",
    waivable: false,
    observe: "git status of the checkout",
    judge: (snapshot) =>
      withCheckout(snapshot, "no change that is not committed", ({ folder, changed }, expected) =>
        folder === "repository"
          ? faults(changed, "clean", expected)
          : notApplicable("there is no repository"),
      ),
    remedy: "git -C CHECKOUT status; commit or stash the changes",
    source: "hazards.md row 69",
  },
];

const SAID: Readonly<Record<string, string>> = {
  missing: "missing",
  "not-a-folder": "not a folder",
  "not-a-repository": "not a Git repository",
  outside: "a link that leads out of the checkout",
  other: "not a plain file",
};

type Checkout = NonNullable<Extract<ClusterSnapshot["checkout"], { known: true }>["value"]>;

function withCheckout(
  { checkout }: ClusterSnapshot,
  expected: string,
  judge: (checkout: Checkout, expected: string) => Judgement,
): Judgement {
  return seen(checkout, expected, (value) =>
    value === undefined ? notApplicable("no checkout is configured") : judge(value, expected),
  );
}
