import type { PlantedHazard } from "./plantedHazards";
import {
  base64,
  journalled,
  NS,
  raftWorld,
  RELEASE,
  SECRET,
  STATEFUL_SET,
  UNSEAL_KEY,
  type World,
} from "./snapshotBuilder";

const server = (values: object) => ({ spec: { values: { server: values } } });
const runVersion = (world: World, version: string) => {
  world.servers["openbao-0"]!.seal["version"] = version;
  pulled(world, `openbao:${version}`);
  return world.patch(
    STATEFUL_SET,
    template({ containers: [{ name: "openbao", image: `openbao:${version}` }] }),
  );
};
/** Every node holds the image. */
const pulled = (world: World, image: string) => {
  for (const n of [0, 1, 2])
    world.patch(`/api/v1/nodes/node-${n}`, {
      status: { images: [{ names: [`docker.io/library/${image}`] }] },
    });
  return world;
};
const template = (spec: object) => ({ spec: { template: { spec } } });

/** What the source, its version and its key can have wrong. */
export const serverHazards: readonly PlantedHazard[] = [
  {
    check: "api-reachable",
    title: "no API server (F11)",
    plant: ({ kube }) => kube.fail("*", /./, 0, "NoAnswer"),
    found: /NoAnswer/,
    beside: "all",
  },
  {
    check: "api-reachable",
    title: "an answer that is no API server's (F11)",
    plant: ({ kube }) => kube.fail("get", "/version", 403, "Forbidden"),
    found: /Forbidden/,
  },
  {
    check: "namespace-exists",
    title: "another namespace",
    plant: ({ kube }) => kube.drop("/api/v1/namespaces/openbao"),
    found: /no namespace "openbao"/,
    beside: ["helm-release-exists", "key-secret-present", "rehearsal-evidence", "stateful-set-exists"],
  },
  {
    check: "helm-release-exists",
    title: "no HelmRelease (I1)",
    plant: ({ kube }) => kube.drop(RELEASE),
    found: /no such HelmRelease/,
    beside: [
      "delivery-fits",
      "disruption-budget-value",
      "field-owners",
      "flux-remediation",
      "immutable-fields",
      "release-settled",
      "replicas-numeric",
      "server-config",
      "values-from",
      "values-match-store",
    ],
  },
  {
    check: "stateful-set-exists",
    title: "no StatefulSet",
    plant: ({ kube }) => kube.drop(STATEFUL_SET),
    found: /no such StatefulSet/,
    beside: [
      "backup-jobs-admitted",
      "claims-outlive-scaling",
      "cutover-jobs-admitted",
      "evictable-pods",
      "followers-admitted",
      "headless-service",
      "hook-wait",
      "host-network",
      "image-present",
      "immutable-fields",
      "liveness-probe",
      "nodes-for-replicas",
      "ordered-ready-probe",
      "pod-revision",
      "probe-pods-admitted",
      "raft-leftovers",
      "storage-class",
      "update-on-delete",
      "version-target",
    ],
  },
  {
    check: "release-settled",
    title: "a HelmRelease that failed (F54)",
    plant: (world) =>
      world.patch(RELEASE, {
        status: { conditions: [{ type: "Ready", status: "False", reason: "UpgradeFailed" }] },
      }),
    found: /Ready is False \(UpgradeFailed\)/,
  },
  {
    check: "clock-skew",
    title: "a clock ten minutes off (F60)",
    plant: ({ kube }) =>
      kube.answer("create", `${NS}/configmaps`, () => ({
        metadata: { creationTimestamp: "2026-11-24T09:10:00Z" },
      })),
    found: /600 s apart/,
  },
  {
    check: "source-unsealed",
    title: "a sealed source (F24)",
    plant: ({ servers }) => (servers["openbao-0"]!.seal["sealed"] = true),
    found: /openbao-0 is sealed/,
  },
  {
    check: "source-unsealed",
    title: "a source that does not answer",
    plant: ({ servers }) => (servers["openbao-0"]!.up = false),
    found: /connection refused/,
    beside: [
      "carry-fits-storage",
      "seal-one-share",
      "token-rights",
      "values-match-store",
      "version-source",
      "version-target",
    ],
  },
  {
    check: "carry-fits-storage",
    title: "a source on another storage (H2)",
    plant: ({ servers }) => (servers["openbao-0"]!.seal["storage_type"] = "consul"),
    found: /storage "consul"/,
  },
  {
    check: "values-match-store",
    title: "values flipped before the carry (I4)",
    plant: (world) => world.patch(RELEASE, server({ ha: { enabled: true, raft: { enabled: true } } })),
    found: /raft values, storage "file"/,
  },
  {
    check: "server-config",
    title: "two storages in the config (I40)",
    plant: (world) =>
      world.patch(
        RELEASE,
        server({
          standalone: {
            config: 'listener "tcp" {\n tls_disable = true\n}\nstorage "file" {}\nstorage "inmem" {}\n',
          },
        }),
      ),
    found: /2 storage blocks/,
  },
  {
    check: "listener-tls",
    title: "a listener with TLS (F61)",
    plant: (world) =>
      world.patch(
        RELEASE,
        server({
          standalone: {
            config:
              'listener "tcp" {\n address = "[::]:8200"\n tls_cert_file = "/c"\n tls_key_file = "/k"\n tls_client_ca_file = "/a"\n}\nstorage "file" {\n path = "/d"\n}\n',
          },
        }),
      ),
    found: /TLS is on/,
  },
  {
    check: "version-source",
    title: "OpenBao 2.5.0 (I11)",
    plant: (world) => runVersion(world, "2.5.0"),
    found: /2\.5\.0/,
  },
  {
    check: "version-source",
    title: "OpenBao 2.7 (I12)",
    plant: (world) => runVersion(world, "2.7.0"),
    found: /2\.7\.0/,
  },
  {
    check: "version-target",
    title: "an image of another version in the template (I12)",
    plant: (world) =>
      pulled(world, "openbao:2.7.1").patch(
        STATEFUL_SET,
        template({ containers: [{ name: "openbao", image: "openbao:2.7.1" }] }),
      ),
    found: /image tag 2\.7\.1, running 2\.4\.0/,
  },
  {
    check: "pod-revision",
    title: "a change that waits for the next roll (I4)",
    plant: (world) => world.patch(STATEFUL_SET, { status: { updateRevision: "rev-2" } }),
    found: /openbao-0 is on rev-1, not rev-2/,
  },
  {
    check: "replicas-numeric",
    title: "a replica count in quotes (I35)",
    plant: (world) => world.patch(RELEASE, server({ ha: { replicas: "1" } })),
    found: /the text "1"/,
  },
  {
    check: "replicas-numeric",
    title: "an even replica count",
    plant: (world) => world.patch(RELEASE, server({ ha: { replicas: 4 } })),
    found: /4/,
  },
  {
    check: "one-cluster",
    title: "two cluster ids (I28)",
    world: raftWorld,
    plant: ({ servers }) => (servers["openbao-1"]!.seal["cluster_id"] = "other"),
    found: /cluster ids/,
  },
  {
    check: "servers-unsealed",
    title: "a sealed follower (I20)",
    world: raftWorld,
    plant: ({ servers }) => (servers["openbao-2"]!.seal["sealed"] = true),
    found: /openbao-2 is sealed/,
  },
  {
    check: "key-secret-present",
    title: "no key Secret (F25)",
    plant: ({ kube }) => kube.drop(SECRET),
    found: /no such Secret/,
    beside: ["key-secret-writers", "root-token-shape", "token-rights", "unseal-key-shape"],
  },
  {
    check: "unseal-key-shape",
    title: "a placeholder for a key (F25)",
    plant: (world) => world.patch(SECRET, { data: { "unseal-key": base64("REPLACE_AFTER_INIT") } }),
    found: /placeholder/,
  },
  {
    check: "unseal-key-shape",
    title: "a key with a line break (F25)",
    plant: (world) => world.patch(SECRET, { data: { "unseal-key": base64(`${UNSEAL_KEY}\n`) } }),
    found: /line break/,
  },
  {
    check: "unseal-key-shape",
    title: "a key in base64 twice (F25)",
    plant: (world) => world.patch(SECRET, { data: { "unseal-key": base64(base64(UNSEAL_KEY)) } }),
    found: /base64 twice/,
  },
  {
    check: "root-token-shape",
    title: "an empty token (F25)",
    plant: (world) => world.patch(SECRET, { data: { "root-token": "" } }),
    found: /is empty/,
    beside: ["token-rights"],
  },
  {
    check: "token-rights",
    title: "a token that has ended (F27)",
    plant: ({ servers }) => (servers["openbao-0"]!.token = "another"),
    found: /sys\/mounts needs read, has nothing/,
  },
  {
    check: "seal-one-share",
    title: "three shares, two needed",
    plant: ({ servers }) => Object.assign(servers["openbao-0"]!.seal, { n: 3, t: 2 }),
    found: /3 share\(s\), threshold 2/,
  },
  {
    check: "key-proven",
    title: "a key that was changed after its proof (F26)",
    plant: (world) => journalled(world, "key-proof", { store: "store", fingerprint: "of another key" }),
    found: /another key/,
  },
  {
    check: "key-secret-writers",
    title: "a key Secret that Git writes (I49)",
    plant: (world) =>
      world.patch(SECRET, { metadata: { managedFields: [{ manager: "kustomize-controller" }] } }),
    found: /written by kustomize-controller/,
  },
  {
    check: "weak-seal",
    title: "one share in a Secret",
    world: raftWorld,
    plant: () => undefined,
    found: /one share/,
  },
];
