import type { PlantedHazard } from "./plantedHazards";
import {
  BATCH,
  JOURNAL,
  journalOf,
  LEASE,
  NS,
  OWNER,
  raftWorld,
  RELEASE,
  STATEFUL_SET,
} from "./snapshotBuilder";

const ARGO = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
const BUDGETS = "/apis/policy/v1/namespaces/openbao/poddisruptionbudgets";
const initJob = {
  template: { spec: { containers: [{ command: ["sh", "-c", "bao operator init -key-shares=1"] }] } },
};
const snapshotJob = {
  template: {
    spec: { containers: [{ command: ["sh", "-c", "bao operator raft snapshot save /s/a.snap"] }] },
  },
};
/** The server's container with a postStart hook, else as it is. */
const hooked = (script: string) =>
  template({
    containers: [
      {
        name: "openbao",
        image: "quay.io/openbao/openbao:2.4.0",
        readinessProbe: {
          httpGet: { path: "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204" },
        },
        lifecycle: { postStart: { exec: { command: ["/bin/sh", "-c", script] } } },
      },
    ],
  });
const template = (spec: object) => ({ spec: { template: { spec } } });

/** What other writers, the rollout, the rights and other runs can have wrong. */
export const tenantHazards: readonly PlantedHazard[] = [
  {
    check: "rollback-finished",
    title: "a rollback that was left half done (F67)",
    plant: ({ kube }) => kube.put(JOURNAL, journalOf(["rollback-begin", "act"])),
    found: /a rollback has begun/,
  },
  {
    check: "owners-known",
    title: "an owner that is gone (I38)",
    plant: ({ kube }) => kube.drop(OWNER),
    found: /infra/,
  },
  {
    check: "argo-applications",
    title: "an Argo CD Application that syncs the namespace (F53)",
    plant: ({ kube }) =>
      kube.put(`${ARGO}/openbao`, {
        metadata: { namespace: "argocd" },
        spec: { destination: { namespace: "openbao" }, syncPolicy: { automated: { selfHeal: true } } },
      }),
    found: /^argocd\/openbao$/,
  },
  {
    check: "argo-applications",
    title: "one of an ApplicationSet that only its objects give away (I38)",
    plant: ({ kube }) =>
      kube.put(`${ARGO}/all`, {
        metadata: {
          namespace: "argocd",
          ...{ ownerReferences: [{ kind: "ApplicationSet", name: "platform" }] },
        },
        spec: { destination: { namespace: "default" }, syncPolicy: { automated: {} } },
        status: { resources: [{ kind: "HelmRelease", namespace: "openbao" }] },
      }),
    found: /argocd\/all \(ApplicationSet platform puts it back/,
  },
  {
    check: "alert-rules",
    title: "alerts without the kind that holds them (I34)",
    plant: () => undefined,
    found: /no such kind/,
  },
  {
    check: "flux-remediation",
    title: "remediation by uninstall (I8)",
    plant: (world) =>
      world.patch(RELEASE, { spec: { upgrade: { remediation: { retries: 3, strategy: "uninstall" } } } }),
    found: /strategy uninstall/,
  },
  {
    check: "init-jobs",
    title: "a Job that initialises (I2)",
    plant: ({ kube }) => kube.put(`${BATCH}/jobs/vault-config`, { spec: initJob }),
    found: /Job vault-config/,
    beside: ["active-jobs"],
  },
  {
    check: "init-jobs",
    title: "a CronJob that initialises (F57)",
    plant: ({ kube }) =>
      kube.put(`${BATCH}/cronjobs/vault-init`, {
        spec: { schedule: "0 * * * *", jobTemplate: { spec: initJob } },
      }),
    found: /CronJob vault-init/,
  },
  {
    check: "active-jobs",
    title: "a Job that still runs (F22)",
    plant: ({ kube }) => kube.put(`${BATCH}/jobs/vault-seed`, { spec: {} }),
    found: /vault-seed/,
  },
  {
    check: "cron-jobs",
    title: "CronJobs that cannot be listed",
    plant: ({ kube }) => kube.fail("get", `${BATCH}/cronjobs`, 403, "Forbidden"),
    found: /Forbidden/,
    beside: ["init-jobs", "plain-service-clients", "snapshot-jobs"],
  },
  {
    check: "push-secrets",
    title: "a PushSecret that refreshes (I48)",
    plant: ({ kube }) =>
      kube.put("/apis/external-secrets.io/v1alpha1/namespaces/flux-system/pushsecrets/seed", {
        metadata: { namespace: "flux-system" },
        spec: { refreshInterval: "1h" },
      }),
    found: /flux-system\/seed/,
  },
  {
    check: "pod-webhooks",
    title: "a webhook on updates of pods (I9)",
    plant: ({ kube }) =>
      kube.put("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/kyverno", {
        webhooks: [{ name: "freeze", rules: [{ operations: ["UPDATE"], resources: ["pods"] }] }],
      }),
    found: /kyverno\/freeze/,
  },
  {
    check: "one-disruption-budget",
    title: "two budgets (I37)",
    plant: ({ kube }) =>
      kube
        .put(`${BUDGETS}/openbao`, { spec: { selector: { matchLabels: { component: "server" } } } })
        .put(`${BUDGETS}/own`, { spec: { selector: { matchLabels: { component: "server" } } } }),
    found: /openbao, own/,
  },
  {
    check: "disruption-budget-value",
    title: "a budget that lets no server go (F58)",
    world: raftWorld,
    plant: (world) => world.patch(`${BUDGETS}/openbao`, { spec: { maxUnavailable: 0 } }),
    found: /^0 may be away$/,
  },
  {
    check: "disruption-budget-value",
    title: "a budget that lets the majority go (F43)",
    world: raftWorld,
    plant: (world) =>
      world.patch(`${BUDGETS}/openbao`, { spec: { maxUnavailable: null, minAvailable: "20%" } }),
    found: /^2 may be away$/,
  },
  {
    check: "disruption-budget-value",
    title: "values of a budget that lets no server go (I36)",
    plant: (world) =>
      world.patch(RELEASE, {
        spec: { values: { server: { ha: { disruptionBudget: { maxUnavailable: 0 } } } } },
      }),
    found: /^0 may be away$/,
  },
  {
    check: "hook-wait",
    title: "a postStart hook of 24 rounds of 5 s",
    plant: (world) => world.patch(STATEFUL_SET, hooked('while [ "$n" -lt 24 ]; do sleep 5; done')),
    found: /24 rounds of 5 s: up to 120 s a follower, 4 min/,
  },
  {
    check: "hook-wait",
    title: "a postStart hook without a bound",
    plant: (world) => world.patch(STATEFUL_SET, hooked("until bao status; do sleep 2; done")),
    found: /loop without a bound/,
  },
  {
    check: "snapshot-jobs",
    title: "a CronJob that takes snapshots of file storage (H2)",
    plant: ({ kube }) =>
      kube.put(`${BATCH}/cronjobs/vault-snapshot`, {
        spec: { schedule: "30 3 * * *", suspend: true, jobTemplate: { spec: snapshotJob } },
        status: { lastSuccessfulTime: "2026-11-24T03:30:09Z" },
      }),
    found: /CronJob vault-snapshot \("successful" 2026-11-24T03:30:09Z\)/,
  },
  {
    check: "quota-room",
    title: "a quota that is used up (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/pods`, { status: { hard: { pods: "5" }, used: { pods: "5" } } }),
    found: /pods: pods/,
    beside: ["followers-quota", "probe-pods-admitted"],
  },
  {
    check: "ordered-ready-probe",
    title: "a readiness probe that fails while sealed (I5)",
    plant: (world) =>
      world.patch(
        STATEFUL_SET,
        template({
          containers: [
            { name: "openbao", image: "quay.io/openbao/openbao:2.4.0", readinessProbe: { exec: {} } },
          ],
        }),
      ),
    found: /OrderedReady, exec probe/,
  },
  {
    check: "liveness-probe",
    title: "a liveness probe (I8)",
    plant: (world) =>
      world.patch(
        STATEFUL_SET,
        template({
          containers: [
            { name: "openbao", image: "quay.io/openbao/openbao:2.4.0", livenessProbe: { httpGet: {} } },
          ],
        }),
      ),
    found: /a liveness probe/,
  },
  {
    check: "raft-node-id",
    title: "a Raft node without a pod (I15)",
    world: raftWorld,
    plant: ({ servers }) => {
      for (const one of Object.values(servers))
        one.peers = [...one.peers!, { ...one.peers![0]!, node_id: "x", voter: false, leader: false }];
    },
    found: /^x$/,
  },
  {
    check: "raft-voters",
    title: "two leaders in the configuration (F42)",
    world: raftWorld,
    plant: ({ servers }) => {
      for (const one of Object.values(servers))
        one.peers = one.peers!.map((peer) => ({ ...peer, leader: true }));
    },
    found: /3 leader/,
  },
  {
    check: "update-on-delete",
    title: "rolling updates (I4)",
    plant: (world) => world.patch(STATEFUL_SET, { spec: { updateStrategy: { type: "RollingUpdate" } } }),
    found: /RollingUpdate/,
  },
  {
    check: "no-other-run",
    title: "another run (F9)",
    plant: ({ kube }) =>
      kube.put(LEASE, {
        spec: {
          holderIdentity: "ci@runner/7",
          renewTime: "2026-11-24T08:59:50.000000Z",
          leaseDurationSeconds: 30,
        },
      }),
    found: /ci@runner\/7/,
  },
  {
    check: "journal-readable",
    title: "a journal that may not be read (F5)",
    plant: ({ kube }) => kube.fail("get", /openbao-raft-migration-journal$/, 403, "Forbidden"),
    found: /Forbidden/,
    beside: ["copy-fresh", "key-proven", "rollback-finished"],
  },
  {
    check: "rehearsal-evidence",
    title: "a plan that nobody has rehearsed (F64)",
    plant: (world) => {
      world.rehearsal = { fault: "no rehearsal is named" };
    },
    found: /no rehearsal is named/,
  },
  {
    check: "rights",
    title: "a verb that is missing (F59)",
    plant: ({ kube }) =>
      kube.answer("create", /selfsubjectaccessreviews$/, (_path, _query, body) => ({
        status: {
          allowed:
            (body as { spec: { resourceAttributes: { resource: string } } }).spec.resourceAttributes
              .resource !== "jobs",
        },
      })),
    found: /create jobs\.batch in openbao \(stage backup\)/,
  },
];
