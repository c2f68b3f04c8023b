import { fail, notApplicable, pass, seen, seenObject, unclear, type Check } from "./check";
import type { Observed } from "./observed";

/** What every other check stands on. */
export const baseChecks: readonly Check[] = [
  {
    id: "api-reachable",
    stage: "every",
    hazard: { ids: ["F11"], loss: "nothing can be observed, so nothing can be judged" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "kubeconfig, and the API server's version",
    judge: ({ api }) =>
      seen(api, "a kubeconfig that reaches the API server", ({ version }) => pass(version, "an answer")),
    remedy: "kubectl --context CONTEXT version; then pulumi config set openbao-migration:context CONTEXT",
    source: "issue 3, bad input",
  },
  {
    id: "namespace-exists",
    stage: "every",
    hazard: { ids: ["I3"], loss: "the program would look at the wrong cluster or namespace" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the namespace",
    judge: ({ namespace }, config) =>
      seen(namespace, "the namespace of OpenBao", (value) =>
        value === undefined
          ? fail(`no namespace "${config.namespace}"`, "the namespace of OpenBao")
          : pass(config.namespace, "the namespace of OpenBao"),
      ),
    remedy: "pulumi config set openbao-migration:namespace NAMESPACE (and check openbao-migration:context)",
    source: "issue 3, bad input",
  },
  {
    id: "helm-release-exists",
    stage: "every",
    hazard: {
      ids: ["I1", "I38"],
      loss: "the deploy source would flip the storage back, and two stores diverge",
    },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the Flux HelmRelease, or the release that Helm itself knows",
    judge: (snapshot, config) => {
      const kind = config.delivery === "helm" ? "Helm release" : "HelmRelease";
      const expected = `${kind} "${config.release}" in namespace "${config.namespace}"`;
      if (spaceIsMissing(snapshot.namespace)) return unclear("the namespace does not exist", expected);
      return seen(snapshot.release, expected, (release) =>
        release === undefined
          ? fail(`no such ${kind}`, expected)
          : pass(`chart ${release.chart} ${release.chartVersion}`.trim(), expected),
      );
    },
    remedy:
      "pulumi config set openbao-migration:release NAME (kubectl get helmreleases -n NAMESPACE, or helm list -n NAMESPACE -a)",
    source: "issue 3, bad input",
  },
  {
    id: "stateful-set-exists",
    stage: "every",
    hazard: { ids: ["F41"], loss: "there is no server to move" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the StatefulSet that the HelmRelease renders",
    judge: (snapshot, config) => {
      const expected = `StatefulSet "${config.release}"`;
      if (spaceIsMissing(snapshot.namespace)) return unclear("the namespace does not exist", expected);
      return seen(snapshot.statefulSet, expected, (set) =>
        set === undefined
          ? fail("no such StatefulSet", expected)
          : pass(`${set.replicas} replica(s), ${set.readyReplicas} ready`, expected),
      );
    },
    remedy: "flux reconcile helmrelease RELEASE -n NAMESPACE; its name must be that of the StatefulSet",
    source: "issue 3, bad input",
  },
  {
    id: "release-settled",
    stage: "cutover",
    hazard: {
      ids: ["F53", "F54"],
      loss: "a reconciliation that is still running, or failed, meets the cutover in mid-way",
    },
    severity: "block",
    waivable: true,
    observe: "condition Ready and the generations of the HelmRelease",
    judge: ({ release }) => {
      const expected = "Ready is True for the newest generation";
      return seenObject(release, "the HelmRelease", expected, (value) => {
        if (value.pausedByUs) return notApplicable("the program has paused it");
        if (value.suspended) return pass("suspended by someone", expected);
        const generations = `generation ${value.generation ?? "?"}, observed ${value.observedGeneration ?? "none"}`;
        return value.ready === "True" && value.generation === value.observedGeneration
          ? pass(`Ready, ${generations}`, expected)
          : fail(
              `Ready is ${value.ready ?? "absent"} (${value.readyReason || "no reason"}), ${generations}`,
              expected,
            );
      });
    },
    remedy:
      "flux get helmrelease RELEASE -n NAMESPACE, or helm history RELEASE -n NAMESPACE; settle it, then preview again",
    source: "facts/environment.md section 6; helm-controller#1559",
  },
  {
    id: "clock-skew",
    stage: "every",
    hazard: { ids: ["F60"], loss: "expiries and the Lease of another run are misread" },
    severity: "warn",
    waivable: true,
    alsoRollback: true,
    observe: "this machine's time against the time that the API server puts on an object in a dry run",
    judge: ({ serverTime, takenAt }) => {
      const expected = "less than 60 s apart";
      return seen(serverTime, expected, (text) => {
        const seconds = Math.abs(Date.parse(text) - Date.parse(takenAt)) / 1000;
        if (Number.isNaN(seconds)) return unclear("the API server gave no time", expected);
        const found = `${Math.round(seconds)} s apart`;
        return seconds < 60 ? pass(found, expected) : fail(found, expected);
      });
    },
    remedy: "timedatectl set-ntp true on the machine that is wrong",
    source: "hazards.md row 60",
  },
];

function spaceIsMissing(namespace: Observed<unknown>): boolean {
  return namespace.known && namespace.value === undefined;
}
