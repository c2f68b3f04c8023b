import type { PlantedHazard } from "./plantedHazards";
import { releaseSecret, revisionPath } from "./helmRelease";
import {
  addPod,
  helmWorld,
  journalled,
  NS,
  openPolicy,
  POLICIES,
  raftWorld,
  RELEASE,
  STATEFUL_SET,
  usage,
} from "./snapshotBuilder";

const CNP = "/apis/cilium.io/v2/namespaces/openbao/ciliumnetworkpolicies";
const VELERO = "/apis/velero.io/v1/namespaces/velero/backups";
const PODS_OF_BACKUP = "/apis/velero.io/v1/namespaces/velero/podvolumebackups";
/** A Velero Backup that is whole but for `status`. */
export const backup = (status: object, spec: object = {}) => ({
  spec,
  status: {
    phase: "Completed",
    startTimestamp: "2026-11-24T02:17:00Z",
    completionTimestamp: "2026-11-24T02:20:00Z",
    ...status,
  },
});
const podVolume = (spec: object, phase = "Completed") => ({
  metadata: { labels: { "velero.io/backup-name": "daily" } },
  spec: { pod: { namespace: "openbao", name: "openbao-0" }, volume: "data", ...spec },
  status: { phase },
});
const server = (values: object) => ({ spec: { values: { server: values } } });
const template = (spec: object) => ({ spec: { template: { spec } } });

/** What volumes, nodes and policies can have wrong. */
export const placeHazards: readonly PlantedHazard[] = [
  {
    check: "delivery-fits",
    title: "a Helm release where the config says Flux (I1)",
    world: helmWorld,
    plant: () => undefined,
    found: /no HelmRelease, but a Helm release \(revision 3, deployed\): set delivery to helm/,
    beside: [
      "disruption-budget-value",
      "field-owners",
      "flux-remediation",
      "helm-release-exists",
      "immutable-fields",
      "release-settled",
      "replicas-numeric",
      "server-config",
      "values-from",
      "values-match-store",
    ],
  },
  {
    check: "delivery-fits",
    title: "a HelmRelease of another name where the config says Helm (I38)",
    config: { delivery: "helm" },
    world: helmWorld,
    plant: (world) =>
      world.patch(STATEFUL_SET, {
        metadata: {
          labels: {
            "helm.toolkit.fluxcd.io/name": "vault",
            "helm.toolkit.fluxcd.io/namespace": "flux-system",
          },
        },
      }),
    found: /HelmRelease flux-system\/vault applies it: set delivery to flux/,
    // No Helm runs in a unit test.
    beside: ["helm-renders-same"],
  },
  {
    check: "helm-renders-same",
    title: "a chart with subcharts, which Helm does not record (F54)",
    config: { delivery: "helm" },
    world: () => helmWorld({ dependencies: ["common"] }),
    plant: () => undefined,
    found: /subcharts common/,
  },
  {
    check: "release-settled",
    title: "a Helm upgrade that was killed (F54)",
    config: { delivery: "helm" },
    world: helmWorld,
    plant: (world) =>
      world.kube.put(revisionPath(4), releaseSecret({ revision: 4, status: "pending-upgrade" })),
    found: /Ready is False \(pending-upgrade\)/,
    beside: ["helm-renders-same"],
  },
  {
    check: "data-claim-bound",
    title: "a data claim that lost its volume (F37)",
    plant: (world) =>
      world.patch(`${NS}/persistentvolumeclaims/data-openbao-0`, { status: { phase: "Lost" } }),
    found: /Lost/,
  },
  {
    check: "raft-leftovers",
    title: "a data claim of an earlier try (I33)",
    plant: (world) => addPod(world, 1),
    found: /data-openbao-1/,
  },
  {
    check: "reclaim-policy",
    title: "reclaim policy Delete (F38)",
    plant: (world) =>
      world.patch("/api/v1/persistentvolumes/pv-data-0", {
        spec: { persistentVolumeReclaimPolicy: "Delete" },
      }),
    found: /Delete/,
  },
  {
    check: "claims-outlive-scaling",
    title: "claims that scaling to 0 deletes (F38)",
    plant: (world) =>
      world.patch(STATEFUL_SET, { spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" } } }),
    found: /whenScaled: Delete/,
  },
  {
    check: "storage-class",
    title: "no default StorageClass (F37)",
    plant: ({ kube }) => kube.drop("/apis/storage.k8s.io/v1/storageclasses/local"),
    found: /no default StorageClass/,
  },
  {
    check: "immutable-fields",
    title: "another volume size in the values (F55)",
    plant: (world) => world.patch(RELEASE, server({ dataStorage: { size: "20Gi" } })),
    found: /data size/,
  },
  {
    check: "immutable-fields",
    title: "another pod management policy in the values (I6)",
    plant: (world) => world.patch(RELEASE, server({ podManagementPolicy: "Parallel" })),
    found: /OrderedReady live, Parallel/,
  },
  {
    check: "data-room",
    title: "a data volume nearly full (F33)",
    plant: ({ kube }) =>
      kube.answer("get", "/api/v1/nodes/node-0/proxy/stats/summary", () => ({
        pods: [{ volume: [usage("data-openbao-0", 1), usage("audit-openbao-0", 8)] }],
      })),
    found: /1\.00 GiB free/,
  },
  {
    check: "audit-room",
    title: "an audit volume nearly full (I34)",
    plant: ({ kube }) =>
      kube.answer("get", "/api/v1/nodes/node-0/proxy/stats/summary", () => ({
        pods: [{ volume: [usage("data-openbao-0", 8), usage("audit-openbao-0", 0.5)] }],
      })),
    found: /audit-openbao-0 on node-0: 5 % free/,
  },
  {
    check: "nodes-for-replicas",
    title: "a cordoned node (I42)",
    plant: (world) => world.patch("/api/v1/nodes/node-2", { spec: { unschedulable: true } }),
    found: /2 of 3 nodes fit/,
  },
  {
    check: "nodes-for-replicas",
    title: "a taint that nothing tolerates (I42)",
    plant: (world) =>
      world.patch("/api/v1/nodes/node-1", { spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } }),
    found: /2 of 3 nodes fit/,
  },
  {
    check: "raft-ports",
    title: "the rule for 8200 and 8201 gone after the move (F46)",
    world: raftWorld,
    plant: ({ kube }) => kube.drop(`${POLICIES}/openbao-raft`),
    found: /ingress 8200 .*egress 8201/,
  },
  {
    check: "cilium-deny",
    title: "a deny rule of Cilium (F44)",
    plant: ({ kube }) =>
      kube.put(`${CNP}/x`, { spec: { endpointSelector: {}, ingress: [{}], ingressDeny: [{}] } }),
    found: /CiliumNetworkPolicy x/,
  },
  {
    check: "cilium-isolates",
    title: "a stranger of our name with 8201 but not 8200 (H4)",
    plant: (world) =>
      openPolicy(world).kube.put(`${CNP}/openbao-raft`, {
        spec: {
          endpointSelector: {},
          ingress: [
            {
              fromEndpoints: [{ matchLabels: { "app.kubernetes.io/name": "openbao" } }],
              toPorts: [{ ports: [{ port: "8201", protocol: "TCP" }] }],
            },
          ],
        },
      }),
    found: /^closed beside CiliumNetworkPolicy openbao-raft: ingress 8200/,
  },
  {
    check: "headless-service",
    title: "a headless Service that hides pods (F49)",
    plant: (world) =>
      world.patch(`${NS}/services/openbao-internal`, { spec: { publishNotReadyAddresses: false } }),
    found: /hides pods/,
  },
  {
    check: "active-service",
    title: "no pod behind the active Service (I9)",
    world: raftWorld,
    plant: ({ kube }) =>
      kube.drop("/apis/discovery.k8s.io/v1/namespaces/openbao/endpointslices/openbao-active-x"),
    found: /0 behind openbao-active/,
  },
  {
    check: "plain-service-clients",
    title: "a store that names the plain Service (I7)",
    plant: ({ kube }) =>
      kube.put("/apis/external-secrets.io/v1/clustersecretstores/openbao", {
        kind: "ClusterSecretStore",
        spec: { provider: { vault: { server: "http://openbao.openbao.svc.cluster.local:8200" } } },
      }),
    found: /ClusterSecretStore openbao/,
  },
  {
    check: "image-present",
    title: "a node without the server's image (F39)",
    plant: (world) => world.patch("/api/v1/nodes/node-1", { status: { images: [{ names: ["pause:3"] }] } }),
    found: /^node-1$/,
  },
  {
    check: "velero-readable",
    title: "Velero's backups that may not be listed (I25)",
    plant: ({ kube }) => kube.fail("get", "/apis/velero.io/v1/backups", 403, "Forbidden"),
    found: /Forbidden/,
  },
  {
    check: "velero-backup",
    title: "a backup that is PartiallyFailed (F31)",
    plant: ({ kube }) => kube.put(`${VELERO}/daily`, backup({ phase: "PartiallyFailed" })),
    found: /daily is PartiallyFailed/,
  },
  {
    check: "velero-backup",
    title: "a backup without OpenBao's volume: the server was down (I25)",
    plant: ({ kube }) =>
      kube.put(`${VELERO}/daily`, backup({})).put(`${PODS_OF_BACKUP}/x`, podVolume({ volume: "home" })),
    found: /daily holds openbao-0\/home/,
  },
  {
    check: "velero-backup",
    title: "a volume of the backup that failed (I25)",
    plant: ({ kube }) =>
      kube.put(`${VELERO}/daily`, backup({})).put(`${PODS_OF_BACKUP}/x`, podVolume({}, "Failed")),
    found: /daily holds no volume/,
  },
  {
    check: "velero-backup",
    title: "a backup of last week (F30)",
    plant: ({ kube }) =>
      kube
        .put(`${VELERO}/daily`, backup({ completionTimestamp: "2026-11-17T09:00:00Z" }))
        .put(`${PODS_OF_BACKUP}/x`, podVolume({})),
    found: /daily is 168 hours old/,
  },
  {
    check: "velero-backup",
    title: "backups of other namespaces only (F31)",
    plant: ({ kube }) => kube.put(`${VELERO}/apps`, backup({}, { includedNamespaces: ["apps"] })),
    found: /no backup takes in this namespace/,
  },
  {
    check: "copy-fresh",
    title: "a copy of last week (F30)",
    plant: (world) => journalled(world, "file-copy", { entries: 5, bytes: 9 }, "2026-11-17T09:00:00.000Z"),
    found: /5 entries is 168 hours old/,
  },
  {
    check: "copy-fresh",
    title: "a copy of nothing (F30)",
    plant: (world) => journalled(world, "file-copy", { entries: 0, bytes: 0 }),
    found: /0 entries, 0 bytes/,
  },
  {
    check: "host-network",
    title: "pods on the host's network",
    plant: (world) => world.patch(STATEFUL_SET, template({ hostNetwork: true })),
    found: /hostNetwork/,
  },
];
