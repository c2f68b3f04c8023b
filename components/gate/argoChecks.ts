import { faults, notApplicable, seen, type Check } from "./check";
import { observedStage } from "./progress";

/** Argo CD beside Flux, or above it. */
export const argoChecks: readonly Check[] = [
  {
    id: "argo-applications",
    stage: "cutover",
    hazard: {
      ids: ["I1", "I38", "F53"],
      loss: "an Application that syncs by itself puts the old values back in mid-cutover",
    },
    severity: "block",
    waivable: true,
    observe: "Argo CD Applications with objects in OpenBao's namespace, and spec.syncPolicy.automated",
    judge: (snapshot) => {
      const expected = "none that syncs by itself, until the change is in Git";
      if (observedStage(snapshot) === "land") return notApplicable("the change is in Git");
      return seen(snapshot.argo, expected, (applications) => {
        if (applications === undefined) return notApplicable("no Argo CD here");
        const busy = applications.filter((one) => one.automated);
        return faults(
          busy.map(({ name, madeBy }) =>
            madeBy === undefined ? name : `${name} (ApplicationSet ${madeBy} puts it back: change that one)`,
          ),
          applications.length === 0 ? "none" : `paused: ${applications.map(({ name }) => name).join(", ")}`,
          expected,
        );
      });
    },
    remedy:
      'kubectl patch application NAME -n NAMESPACE --type merge -p \'{"spec":{"syncPolicy":{"automated":null}}}\' (in Git, if an app of apps owns it); put it back after stage land',
    source: "issue 6; argo-cd.readthedocs.io, automated sync",
  },
];
