import { managedBy } from "./fakeFields";
import type { PlantedHazard } from "./plantedHazards";
import { BATCH, NS, raftWorld, RELEASE, STATEFUL_SET, usage, type World } from "./snapshotBuilder";

const job = (container: object) => ({ template: { spec: { containers: [container] } } });
const initialises = (title: string, container: object): PlantedHazard => ({
  check: "init-jobs",
  title: `${title} (I2)`,
  plant: ({ kube }) =>
    kube.put(`${BATCH}/cronjobs/boot`, {
      spec: { schedule: "0 * * * *", jobTemplate: { spec: job(container) } },
    }),
  found: /CronJob boot/,
});

const SELF_INIT =
  'listener "tcp" {\n tls_disable = true\n}\nstorage "file" {\n path = "/d"\n}\ninitialize "x" {}\n';
const ZONE = "topology.kubernetes.io/zone";
/** Servers that must lie in different zones, on nodes of these zones. */
const zoned = (world: World, ...zones: readonly (string | undefined)[]) => {
  zones.forEach((zone, n) => {
    if (zone !== undefined)
      world.patch(`/api/v1/nodes/node-${n}`, { metadata: { labels: { [ZONE]: zone } } });
  });
  const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ZONE }] };
  return world.patch(STATEFUL_SET, { spec: { template: { spec: { affinity: { podAntiAffinity } } } } });
};
/** A HelmRelease that somebody suspended, with another tag than the one that was applied. */
const suspendedTag = (world: World, tag: string) =>
  world.patch(RELEASE, { spec: { suspend: true, values: { server: { image: { tag } } } } });

/** What an audit of the gate found to slip through. */
export const auditHazards: readonly PlantedHazard[] = [
  {
    check: "delivery-fits",
    title: "a HelmRelease of another name that applies the server, beside the one of the config (I1)",
    plant: (world) =>
      world.patch(STATEFUL_SET, {
        metadata: {
          labels: {
            "helm.toolkit.fluxcd.io/name": "vault",
            "helm.toolkit.fluxcd.io/namespace": "flux-system",
          },
        },
      }),
    found: /HelmRelease flux-system\/vault applies it, not openbao\/openbao/,
  },
  {
    check: "rehearsal-evidence",
    title: "a cluster that nobody gave up, under a stack that calls itself the rehearsal (F64)",
    plant: (world) =>
      world.patch("/api/v1/namespaces/openbao", {
        metadata: { labels: { "openbao-raft-migration/rehearsal": null } },
      }),
    found: /rehearsal\.throwAway is true, and namespace "openbao" does not say/,
  },
  {
    check: "field-owners",
    title: "a writer that nobody pauses (I1)",
    plant: (world) => {
      const path = ["spec", "values", "server", "standalone", "enabled"];
      const managedFields = [managedBy("argocd-controller", "Apply", "2026-11-24T08:00:00Z", [path])];
      return world.patch(RELEASE, { metadata: { managedFields } });
    },
    found: /server\.standalone\.enabled by argocd-controller \(Apply, 2026-11-24T08:00:00Z\)$/,
  },
  initialises("an init as a list of words", { command: ["bao", "operator", "init"] }),
  initialises("an init split between command and args", { command: ["bao"], args: ["operator", "init"] }),
  initialises("an init beside a question for its status", {
    command: ["sh", "-c", "bao operator init -key-shares=1; bao operator init -status"],
  }),
  {
    check: "snapshot-jobs",
    title: "a snapshot of file storage as a list of words (H2)",
    plant: ({ kube }) =>
      kube.put(`${BATCH}/cronjobs/snap`, {
        spec: {
          schedule: "30 3 * * *",
          suspend: true,
          jobTemplate: {
            spec: job({ command: ["bao"], args: ["operator", "raft", "snapshot", "save", "/s"] }),
          },
        },
      }),
    found: /CronJob snap/,
  },
  {
    check: "data-room",
    title: "room for one and a half copies, which step file-copy refuses (F33)",
    plant: ({ kube }) =>
      kube.answer("get", "/api/v1/nodes/node-0/proxy/stats/summary", () => ({
        pods: [{ volume: [usage("data-openbao-0", 6.5), usage("audit-openbao-0", 8)] }],
      })),
    found: /6\.50 GiB free, 8\.81 GiB needed/,
  },
  {
    check: "audit-room",
    title: "an audit volume of a running pod that nobody measured (I34)",
    world: raftWorld,
    plant: ({ kube }) => kube.answer("get", "/api/v1/nodes/node-1/proxy/stats/summary", () => ({ pods: [] })),
    found: /^no figures for audit-openbao-1$/,
  },
  {
    check: "quota-room",
    title: "a quota that is used beyond its bound (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/pods`, { status: { hard: { pods: "5" }, used: { pods: "6" } } }),
    found: /pods: pods/,
    beside: ["followers-quota", "probe-pods-admitted"],
  },
  {
    check: "quota-room",
    title: "a quota that is used up in another unit (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/memory`, {
        status: { hard: { "limits.memory": "4Gi" }, used: { "limits.memory": "4096Mi" } },
      }),
    found: /memory: limits\.memory/,
  },
  {
    check: "init-jobs",
    title: "an answer that is no list of Jobs (I2)",
    plant: ({ kube }) => kube.answer("get", `${BATCH}/jobs`, () => ({ kind: "Status" })),
    found: /the answer holds no "items", expected a list/,
    // Every check that looks at Jobs stops for the same cause.
    beside: ["active-jobs", "snapshot-jobs"],
  },
  {
    check: "nodes-for-replicas",
    title: "two zones for three servers that must lie in three (I42)",
    plant: (world) => zoned(world, "a", "b", "b"),
    found: /3 of 3 nodes fit, with 2 value\(s\) of topology\.kubernetes\.io\/zone/,
  },
  {
    check: "nodes-for-replicas",
    title: "a node whose zone nobody knows (I42)",
    plant: (world) => zoned(world, "a", "b", undefined),
    found: /2 value\(s\) of .*; without that label: node-2/,
  },
  {
    check: "velero-backup",
    title: "volume snapshots that name no claim (I25)",
    plant: ({ kube }) =>
      kube.put("/apis/velero.io/v1/namespaces/velero/backups/daily", {
        status: {
          phase: "Completed",
          startTimestamp: "2026-11-24T02:17:00Z",
          completionTimestamp: "2026-11-24T02:20:00Z",
          ...{ volumeSnapshotsAttempted: 1, volumeSnapshotsCompleted: 1 },
        },
      }),
    found: /daily holds 1 of 1 volume snapshot\(s\) for 0 bound claim\(s\): openbao-0 may be none/,
  },
  {
    check: "version-target",
    title: "a tag in suspended values that does not run yet (I12)",
    plant: (world) => suspendedTag(world, "2.4.3"),
    found: /server\.image\.tag 2\.4\.3 in the values, running 2\.4\.0/,
  },
  {
    check: "version-target",
    title: "a tag in the values that names no version (I12)",
    plant: (world) => suspendedTag(world, "latest"),
    found: /server\.image\.tag "latest" in the values names no version/,
  },
  {
    check: "version-source",
    title: "OpenBao 2.7 in suspended values (I12)",
    plant: (world) => suspendedTag(world, "2.7.0"),
    found: /server\.image\.tag 2\.7\.0 in the values, running 2\.4\.0/,
    // version-target sees it too, but can be waived.
    beside: ["version-target"],
  },
  {
    check: "version-source",
    title: "OpenBao 2.5.0 in suspended values (I11)",
    plant: (world) => suspendedTag(world, "v2.5.0"),
    found: /server\.image\.tag 2\.5\.0 in the values/,
    beside: ["version-target"],
  },
  {
    check: "values-from",
    title: "values that lie elsewhere (I40)",
    plant: (world) => world.patch(RELEASE, { spec: { valuesFrom: [{ kind: "ConfigMap", name: "extra" }] } }),
    found: /^ConfigMap\/extra was not read$/,
  },
  {
    check: "token-lifetime",
    title: "a token that ends in mid-run (F27)",
    plant: ({ servers }) => (servers["openbao-0"]!.ttl = 7199),
    found: /^it ends in 119 min$/,
  },
  {
    check: "token-lifetime",
    title: "a token that lasts two hours, and a copy that may take longer (F27)",
    config: { copyTimeoutSeconds: 7200 },
    plant: ({ servers }) => (servers["openbao-0"]!.ttl = 7200),
    found: /^it ends in 2 h 0 min$/,
  },
  {
    check: "token-lifetime",
    title: "a token that may not look at itself (F27)",
    plant: ({ servers }) => (servers["openbao-0"]!.ttl = "forbidden"),
    found: /^lookup-self answered HTTP 403$/,
  },
  {
    check: "server-config",
    title: "a config that would initialise each new server (I27)",
    plant: (world) =>
      world.patch(RELEASE, { spec: { values: { server: { standalone: { config: SELF_INIT } } } } }),
    found: /an initialize stanza/,
  },
];
