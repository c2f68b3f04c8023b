import { faults, notApplicable, seenObject, type Check } from "./check";
import { observedStage } from "./progress";
import type { ReleaseView } from "./readRelease";

/** Who else owns what this program writes, by the API server's own record. */
export const fieldChecks: readonly Check[] = [
  {
    id: "field-owners",
    stage: "every",
    hazard: {
      ids: ["I1", "F53"],
      loss: "a writer that nobody pauses takes the values back, or its change is overwritten by force",
    },
    severity: "block",
    waivable: true,
    alsoRollback: true,
    observe:
      "metadata.managedFields of the HelmRelease at each field that this program writes; since the pause, against the owners that it recorded",
    judge: (snapshot, { delivery, rollback }) => {
      const expected =
        "no owner but this program, the paused Kustomization's controller and tools called by hand; since the pause, nobody";
      if (delivery === "helm") return notApplicable("Helm itself delivers");
      if (!rollback && observedStage(snapshot) === "land") return notApplicable("the move has landed");
      return seenObject(snapshot.release, "the HelmRelease", expected, (release) =>
        faults(release.fieldConflicts, ownersWords(release), expected),
      );
    },
    remedy:
      "kubectl get helmrelease NAME -n NAMESPACE -o yaml --show-managed-fields; stop the named writer, or waive it where it never writes by itself",
    source: "issue 6; kubernetes.io, server-side apply, conflicts",
  },
];

/** What the values layers take by force, and from whom. */
function ownersWords({ takenFrom, pausedByUs }: ReleaseView): string {
  const verb = pausedByUs ? "taken from" : "will be taken from";
  const words = takenFrom.map(({ manager, values }) => `${verb} ${manager}: ${values.join(", ")}`);
  return words.length === 0 ? "nobody owns a value that is written" : words.join("; ");
}
