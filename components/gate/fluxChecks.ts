import { fail, faults, notApplicable, pass, seen, seenObject, type Check } from "./check";
import { valueOr } from "./observed";
import { cutoverIsUnderWay, hasMoved } from "./progress";

/** Who else writes, and what would undo or disturb the cutover. */
export const fluxChecks: readonly Check[] = [
  {
    id: "owners-known",
    stage: "cutover",
    hazard: {
      ids: ["I1", "I38", "F53"],
      loss: "a Kustomization above the HelmRelease un-suspends it in mid-cutover",
    },
    severity: "block",
    waivable: true,
    observe: "the Flux Kustomizations that own the HelmRelease, up to the top",
    judge: ({ owners }) => {
      const expected =
        "every owner is there: the nearest is suspended for the window, those above are told to leave it alone";
      return seen(owners, expected, (list) => {
        const gone = list.filter((one) => one.detail === "not found");
        const [nearest, ...above] = list.map(
          (one) => `${one.namespace}/${one.name}${one.suspended ? " (suspended)" : ""}`,
        );
        const left = above.length === 0 ? "" : `; told to leave it alone: ${above.join(", ")}`;
        return gone.length > 0
          ? fail(
              `Kustomization ${gone.map((one) => `${one.namespace}/${one.name}`).join(", ")} was not found`,
              expected,
            )
          : pass(
              nearest === undefined ? "applied by hand" : `will be suspended: ${nearest}${left}`,
              expected,
            );
      });
    },
    remedy:
      "kubectl get kustomization -A; the labels kustomize.toolkit.fluxcd.io/* on the HelmRelease name its owner",
    source: "flux2#5341; sylva-core#1895",
  },
  {
    id: "flux-remediation",
    stage: "cutover",
    hazard: {
      ids: ["I8", "F54"],
      loss: "an upgrade that waits for readiness is rolled back or uninstalled by Flux",
    },
    severity: "warn",
    waivable: true,
    observe: "upgrade and install remediation of the HelmRelease",
    judge: ({ release }, { delivery }) => {
      if (delivery === "helm") return notApplicable("Helm itself delivers");
      const expected = "known: stage cutover switches remediation off and puts it back";
      return seenObject(release, "the HelmRelease", expected, (value) => {
        if (value.pausedByUs) return notApplicable("the program has paused it");
        const found = `upgrade retries ${value.upgradeRetries ?? 0}, strategy ${value.upgradeStrategy ?? "rollback"}, install retries ${value.installRetries ?? 0}`;
        return value.upgradeStrategy === "uninstall" ? fail(found, expected) : pass(found, expected);
      });
    },
    remedy: "spec.upgrade.remediation.strategy: rollback (uninstall deletes the StatefulSet)",
    source: "platform 789e794bc (#1656); helm-controller#1559; flux2#5916",
  },
  {
    id: "values-from",
    stage: "cutover",
    hazard: {
      ids: ["I35", "I40"],
      loss: "values that the gate did not read change what the flip renders: version, replicas, storage",
    },
    severity: "warn",
    waivable: true,
    observe: "spec.valuesFrom of the HelmRelease; only spec.values are judged",
    judge: ({ release }) => {
      const expected = "all values in spec.values";
      return seenObject(release, "the HelmRelease", expected, ({ valuesFrom }) =>
        faults(
          valuesFrom.map((one) => `${one} was not read`),
          "no valuesFrom",
          expected,
        ),
      );
    },
    remedy:
      "look at the named object: server.image, server.ha, server.standalone and *Storage belong in spec.values",
    source: "fluxcd.io helmreleases, values references",
  },
  {
    id: "init-jobs",
    stage: "cutover",
    hazard: {
      ids: ["I2", "F57"],
      loss: "a Job that initialises an empty server overwrites the keys of the old store",
    },
    severity: "block",
    waivable: false,
    observe: "Jobs and CronJobs in the namespace whose containers run `operator init`",
    judge: (snapshot) => {
      const expected = "no active Job and no CronJob that can initialise a server";
      return seen(snapshot.jobs, expected, (jobs) =>
        seen(snapshot.cronJobs, expected, (cronJobs) =>
          faults(
            [
              ...jobs
                .filter((job) => job.active && job.initialises && !job.ours)
                .map((job) => `Job ${job.name}`),
              ...cronJobs
                .filter((job) => !job.suspended && job.initialises)
                .map((job) => `CronJob ${job.name}`),
            ],
            `${jobs.length} Job(s), ${cronJobs.length} CronJob(s), none that initialises`,
            expected,
          ),
        ),
      );
    },
    remedy: "suspend its Kustomization and kubectl delete job NAME; for a CronJob: spec.suspend: true",
    source: "platform#1982, vault-config/job.yaml",
  },
  {
    id: "active-jobs",
    stage: "cutover",
    hazard: {
      ids: ["F22", "I41"],
      loss: "a Job that runs on writes into the store after the last comparison",
    },
    severity: "block",
    waivable: true,
    observe: "Jobs of others in the namespace that have not ended",
    judge: (snapshot) => {
      const expected = "no Job of others is running";
      if (hasMoved(snapshot) || cutoverIsUnderWay(snapshot)) return notApplicable("the cutover has begun");
      return seen(snapshot.jobs, expected, (jobs) =>
        faults(
          jobs.filter((job) => job.active && !job.ours).map((job) => job.name),
          "none",
          expected,
        ),
      );
    },
    remedy: "wait for them (kubectl get jobs -n NAMESPACE), or delete those that will never end",
    source: "facts/environment.md section 5",
  },
  {
    id: "cron-jobs",
    stage: "cutover",
    hazard: { ids: ["F22", "I24"], loss: "a CronJob fires into the downtime" },
    severity: "warn",
    waivable: true,
    observe: "CronJobs in the namespace",
    judge: ({ cronJobs }) => {
      const expected = "known: stage cutover pauses them, stage land resumes them";
      return seen(cronJobs, expected, (list) => {
        const live = list.filter((job) => !job.suspended).map((job) => `${job.name} (${job.schedule})`);
        return pass(live.length === 0 ? "none" : `will be paused: ${live.join(", ")}`, expected);
      });
    },
    remedy: "nothing to do",
    source: "facts/environment.md section 5",
  },
  {
    id: "push-secrets",
    stage: "cutover",
    hazard: {
      ids: ["I48", "F22"],
      loss: "a PushSecret writes new random values into a store that is moving",
    },
    severity: "warn",
    waivable: true,
    observe: "PushSecrets of External Secrets",
    judge: ({ externalWriters }) => {
      const expected = "no PushSecret with a refresh interval";
      return seen(externalWriters, expected, (all) => {
        const live = all.filter((one) => one.kind === "PushSecret" && !/^0[a-z]*$/.test(one.detail || "1h"));
        return faults(
          live.map((one) => `${one.namespace}/${one.name}`),
          "none",
          expected,
        );
      });
    },
    remedy: 'suspend the Kustomization that applies them, or set refreshInterval: "0" for the window',
    source: "facts/environment.md section 5 (vault-seed)",
  },
  {
    id: "pod-webhooks",
    stage: "replicas",
    hazard: { ids: ["I9"], loss: "a webhook that freezes pod labels leaves the active Service empty" },
    severity: "warn",
    waivable: true,
    observe: "mutating webhooks that take in updates of pods",
    judge: ({ podWebhooks }) => {
      const expected = "no mutating webhook on UPDATE of pods";
      return seen(podWebhooks, expected, (hooks) =>
        faults(
          hooks
            .filter((hook) => hook.operations.some((one) => one === "UPDATE" || one === "*"))
            .map((hook) => hook.name),
          "none",
          expected,
        ),
      );
    },
    remedy: "except the labels openbao-* of namespace OpenBao; stage verify counts the endpoints",
    source: "platform#1999, #2002",
  },
  {
    id: "one-disruption-budget",
    stage: "replicas",
    hazard: {
      ids: ["I37", "F58"],
      loss: "two budgets on one pod block every eviction, and drains hang; without one a drain takes two voters",
    },
    severity: "block",
    waivable: true,
    observe:
      "PodDisruptionBudgets that take in the server's pods, and whether the values switch the chart's off",
    judge: (snapshot, { release }) => {
      const off = valueOr(snapshot.release, undefined)?.pdbOff === true;
      const expected = off
        ? "one of your own: server.ha.disruptionBudget.enabled switches the chart's off"
        : `at most one, named "${release}" (the chart makes it)`;
      // The chart makes its own with the flip, and step apply-replicas refuses three nodes without one.
      const needed = off || hasMoved(snapshot);
      return seen(snapshot.budgets, expected, (all) => {
        const mine = all.filter((one) => one.selectsServer).map((one) => one.name);
        const right = mine.length === 1 && (off || mine[0] === release);
        const fits = right || (mine.length === 0 && !needed);
        if (fits) return pass(mine[0] ?? "none yet", expected);
        return fail(mine.join(", ") || "none", expected);
      });
    },
    remedy:
      "remove the budget that is not the chart's, from Git as well; where there is none, server.ha.disruptionBudget.enabled: true",
    source: "openbao-helm server-disruptionbudget.yaml; platform#2028",
  },
  {
    id: "quota-room",
    stage: "backup",
    hazard: { ids: ["F59"], loss: "the migrate Job is refused while the server is down" },
    severity: "block",
    waivable: true,
    observe: "ResourceQuotas of the namespace that are used up",
    judge: ({ quotas }) => {
      const expected = "no quota of the namespace is used up";
      return seen(quotas, expected, (all) =>
        faults(
          all
            .filter((quota) => quota.full.length > 0)
            .map((quota) => `${quota.name}: ${quota.full.join(", ")}`),
          all.length === 0 ? "no quota" : "room in all",
          expected,
        ),
      );
    },
    remedy: "kubectl describe resourcequota -n NAMESPACE; raise it for the window",
    source: "hazards.md row 59",
  },
];
