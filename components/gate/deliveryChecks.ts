import { fail, faults, notApplicable, pass, seen, unclear, type Check } from "./check";
import { valueOr } from "./observed";
import { isRecent } from "./readDelivery";

/** Who applies the chart, and whether Helm itself can do it again. */
export const deliveryChecks: readonly Check[] = [
  {
    id: "delivery-fits",
    stage: "every",
    hazard: {
      ids: ["I1", "I38"],
      loss: "whoever really applies the chart is not paused, and takes the old storage back",
    },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the HelmRelease, Flux's labels on the StatefulSet, and Helm's own record of the release",
    judge: ({ delivery }, config) => {
      const expected = `the release is applied by ${config.delivery === "helm" ? "Helm itself" : "Flux"}`;
      return seen(delivery, expected, ({ flux, helm }) => {
        if (config.delivery === "helm") {
          if (flux !== undefined)
            return fail(`HelmRelease ${flux} applies it: set delivery to flux`, expected);
          return helm === undefined ? unclear("Helm knows no such release", expected) : pass(helm, expected);
        }
        const ours = `${config.namespace}/${config.release}`;
        if (flux !== undefined && flux !== ours)
          return fail(`HelmRelease ${flux} applies it, not ${ours}`, expected);
        if (flux !== undefined) return pass(`HelmRelease ${flux}`, expected);
        return helm === undefined
          ? unclear("neither a HelmRelease nor a Helm release was found", expected)
          : fail(`no HelmRelease, but a Helm release (${helm}): set delivery to helm`, expected);
      });
    },
    remedy:
      "pulumi config set openbao-migration:delivery flux (or helm), or openbao-migration:release NAME; helm list -n NAMESPACE -a",
    source: "issue 6; docs/adr/0009",
  },
  {
    id: "helm-renders-same",
    stage: "cutover",
    hazard: {
      ids: ["F54", "I40"],
      loss: "the upgrade would change more than the storage: a post-renderer or a subchart is lost",
    },
    severity: "block",
    waivable: true,
    observe:
      "helm upgrade --dry-run=server with the recorded chart and values, against the recorded manifest",
    judge: ({ helm, release }) => {
      const expected = "Helm 3.13 or later, and the recorded chart and values render what is recorded";
      return seen(helm, expected, (view) => {
        if (view === undefined) return notApplicable("Helm itself does not deliver");
        if (view.subcharts.length > 0) return fail(`subcharts ${view.subcharts.join(", ")}`, expected);
        if (view.version !== undefined && !isRecent(view.version))
          return fail(`Helm ${view.version}`, expected);
        if (view.changed !== undefined)
          return faults(view.changed, `Helm ${view.version}, the same`, expected);
        // Helm tries nothing while a revision is in progress, such as one that a killed run of ours left.
        const ours = valueOr(release, undefined)?.pausedByUs === true;
        return ours
          ? notApplicable("the program has paused it")
          : unclear(view.why ?? "it was not tried", expected);
      });
    },
    remedy: "helm version; helm get manifest RELEASE -n NAMESPACE; apply the release once as it is to be",
    source: "docs/adr/0009",
  },
];
