import { raftPolicySpec } from "../../components/raftPolicyObjects";
import { configSchema, type MigrationConfig } from "../../config";
import type { RehearsalView } from "../../components/gate/readRehearsal";
import { takeSnapshot, type ClusterSnapshot, type SnapshotAccess } from "../../components/gate/snapshot";
import { FakeKube } from "./fakeKube";
import { mergePatch } from "./fakeKubeRules";
import { FakeOpenBao, fakeServer, type FakeServer } from "./fakeOpenBao";
import { releaseSecret, revisionPath, type Revision } from "./helmRelease";
import { LABELS, node, statefulSet } from "./workloadObjects";

export const NS = "/api/v1/namespaces/openbao";
export const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
export const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
export const SECRET = `${NS}/secrets/openbao-unseal`;
export const LEASE = "/apis/coordination.k8s.io/v1/namespaces/openbao/leases/openbao-raft-migration";
export const OWNER = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/infra";
export const POLICIES = "/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies";
export const JOURNAL = `${NS}/configmaps/openbao-raft-migration-journal`;
export const BATCH = "/apis/batch/v1/namespaces/openbao";
export const NOW = new Date("2026-11-24T09:00:00Z");
/** The secrets of the fake cluster: no report may hold one. */
export const UNSEAL_KEY = "0f".repeat(32);
export const ROOT_TOKEN = "s.canaryCanaryCanary00000001";

const CONFIG = `ui = true
listener "tcp" {
  address = "[::]:8200"
  tls_disable = 1
}
storage "file" {
  path = "/openbao/data"
}
audit "file" "file/" {
  options {
    file_path = "/openbao/audit/audit.log"
  }
}
`;

/** A cluster in memory; a test plants a hazard in it and looks. */
export class World {
  readonly kube = new FakeKube();
  readonly servers: Record<string, FakeServer> = {};
  readonly opened: FakeOpenBao[] = [];
  /** The rehearsal's evidence; undefined: the config says that the stack is the rehearsal itself. */
  rehearsal: RehearsalView | undefined;

  /** Changes one object by a merge patch, as another actor would: no write is recorded. */
  patch(path: string, patch: object): this {
    this.kube.put(path, mergePatch(this.kube.peek(path) ?? {}, patch) as Record<string, unknown>);
    if (path === RELEASE) this.settle();
    return this;
  }

  /** Flux has seen the newest generation of the HelmRelease. */
  private settle(): void {
    const release = this.kube.peek<{ metadata: { generation: number } }>(RELEASE)!;
    const status = { observedGeneration: release.metadata.generation };
    this.kube.put(RELEASE, mergePatch(release, { status }) as Record<string, unknown>);
  }

  get access(): SnapshotAccess {
    return {
      kube: this.kube,
      now: NOW,
      groupTimeoutMs: 5000,
      rehearsal: () => Promise.resolve(this.rehearsal),
      openBao: (pod) => {
        const bao = new FakeOpenBao(
          pod,
          this.servers[pod] ?? { ...fakeServer("file", ROOT_TOKEN), up: false },
        );
        this.opened.push(bao);
        return bao;
      },
    };
  }

  snapshot(config: MigrationConfig = configOf()): Promise<ClusterSnapshot> {
    return takeSnapshot(config, this.access);
  }
}

/** A full config with defaults. */
export function configOf(values: Record<string, unknown> = {}): MigrationConfig {
  return configSchema.parse({ stage: "verify", ...values });
}

/** OpenBao as users have it: one healthy server on file storage, under Flux, default-deny with no rule for Raft. */
export function standaloneWorld(): World {
  const world = new World();
  world.servers["openbao-0"] = fakeServer("file", ROOT_TOKEN);
  const { kube } = world;
  kube
    .answer("get", "/version", () => ({ gitVersion: "v1.34.4" }))
    .answer("create", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", () => ({
      status: { allowed: true },
    }))
    .answer("create", `${NS}/configmaps`, () => ({ metadata: { creationTimestamp: "2026-11-24T09:00:01Z" } }))
    .put("/api/v1/namespaces/openbao", {
      metadata: {
        labels: { "kubernetes.io/metadata.name": "openbao", "openbao-raft-migration/rehearsal": "true" },
      },
    })
    .put(RELEASE, {
      metadata: {
        generation: 1,
        labels: {
          "kustomize.toolkit.fluxcd.io/name": "infra",
          "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
      },
      spec: {
        chart: { spec: { chart: "openbao", version: "0.29.2" } },
        values: {
          server: {
            readinessProbe: { path: "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204" },
            standalone: { enabled: true, config: CONFIG },
            dataStorage: { size: "10Gi" },
            auditStorage: { enabled: true, size: "1Gi" },
          },
        },
      },
      status: {
        observedGeneration: 1,
        conditions: [{ type: "Ready", status: "True", reason: "UpgradeSucceeded" }],
      },
    })
    .put(OWNER, { spec: { suspend: false } })
    .put(STATEFUL_SET, statefulSet(1))
    .put(SECRET, { data: { "unseal-key": base64(UNSEAL_KEY), "root-token": base64(ROOT_TOKEN) } })
    .put(`${NS}/services/openbao-internal`, {
      spec: { clusterIP: "None", publishNotReadyAddresses: true, ports: [{ port: 8200 }, { port: 8201 }] },
    })
    .put("/apis/storage.k8s.io/v1/storageclasses/local", {
      metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      reclaimPolicy: "Retain",
    })
    .put(`${POLICIES}/default-deny`, { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } });
  for (const n of [0, 1, 2]) kube.put(`/api/v1/nodes/node-${n}`, node(n));
  addPod(world, 0);
  return world;
}

/** The same after stage replicas: three voters on Raft, policies open, HelmRelease still paused by the program. */
export function raftWorld(): World {
  const world = standaloneWorld();
  world.patch(STATEFUL_SET, statefulSet(3));
  world.patch(RELEASE, {
    metadata: { annotations: { "openbao-raft-migration/paused": "me" } },
    spec: {
      suspend: true,
      values: {
        server: {
          standalone: { enabled: false },
          ha: { enabled: true, replicas: 3, raft: { enabled: true } },
        },
      },
    },
  });
  const peers = [0, 1, 2].map((n) => ({
    node_id: `openbao-${n}`,
    address: `openbao-${n}.openbao-internal:8201`,
    leader: n === 0,
    voter: true,
  }));
  for (const n of [0, 1, 2]) {
    addPod(world, n);
    const server = {
      ...fakeServer("raft", ROOT_TOKEN),
      peers,
      isLeader: n === 0,
      health: n === 0 ? 200 : 429,
    };
    world.servers[`openbao-${n}`] = server;
  }
  openPolicy(world);
  world.kube
    .put("/apis/policy/v1/namespaces/openbao/poddisruptionbudgets/openbao", {
      spec: { maxUnavailable: 1, selector: { matchLabels: LABELS } },
    })
    .put("/apis/discovery.k8s.io/v1/namespaces/openbao/endpointslices/openbao-active-x", {
      metadata: { labels: { "kubernetes.io/service-name": "openbao-active" } },
      endpoints: [{ addresses: ["10.0.0.1"], targetRef: { name: "openbao-0" } }],
    });
  return world;
}

/** The rule that stage network adds. */
export function openPolicy(world: World): World {
  const spec = raftPolicySpec("openbao", ["Ingress", "Egress"]);
  world.kube.put(`${POLICIES}/openbao-raft`, { spec });
  return world;
}

/** The same server, installed by Helm itself: its own record, and no Flux. */
export function helmWorld(more: Partial<Revision> = {}): World {
  const world = standaloneWorld();
  const values = world.kube.peek<{ spec: { values: object } }>(RELEASE)!.spec.values;
  world.kube.drop(RELEASE).drop(OWNER);
  world.kube.put(revisionPath(3), releaseSecret({ revision: 3, values, ...more }));
  return world;
}

/** A pod of the StatefulSet with its two claims, volumes and kubelet figures. */
export function addPod(world: World, ordinal: number): void {
  const name = `openbao-${ordinal}`;
  world.kube.put(`${NS}/pods/${name}`, {
    metadata: { labels: { ...LABELS, "controller-revision-hash": "rev-1" } },
    spec: {
      nodeName: `node-${ordinal}`,
      containers: [{ name: "openbao", image: "quay.io/openbao/openbao:2.4.0" }],
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  const sizes = { data: "10Gi", audit: "1Gi" };
  for (const [template, storage] of Object.entries(sizes)) {
    world.kube
      .put(`${NS}/persistentvolumeclaims/${template}-${name}`, {
        spec: {
          volumeName: `pv-${template}-${ordinal}`,
          storageClassName: "local",
          resources: { requests: { storage } },
        },
        status: { phase: "Bound" },
      })
      .put(`/api/v1/persistentvolumes/pv-${template}-${ordinal}`, {
        spec: { persistentVolumeReclaimPolicy: "Retain", claimRef: { name: `${template}-${name}` } },
      });
  }
  world.kube.answer("get", `/api/v1/nodes/node-${ordinal}/proxy/stats/summary`, () => ({
    pods: [{ volume: ["data", "audit"].map((template) => usage(`${template}-${name}`, 8)) }],
  }));
}

/** The journal says that a step is done. */
export function journalled(
  world: World,
  step: string,
  observed: object,
  time = "2026-11-24T08:00:00.000Z",
): World {
  const entry = { time, holder: "me", step, beat: "done", observed };
  return world.patch(`${NS}/configmaps/openbao-raft-migration-journal`, {
    data: { [`080000.${step}`]: JSON.stringify(entry) },
  });
}

/** A kubelet's figures of one claim with `free` of 10 GiB left. */
export function usage(claim: string, free: number): object {
  const gib = 1024 ** 3;
  return {
    pvcRef: { name: claim, namespace: "openbao" },
    capacityBytes: 10 * gib,
    availableBytes: free * gib,
    usedBytes: (10 - free) * gib,
  };
}

/** The journal with these steps and beats, one a minute from 08:00 on. */
export function journalOf(
  ...entries: readonly (readonly [step: string, beat: string, observed?: Record<string, unknown>])[]
): Record<string, unknown> {
  const data = entries.map(([step, beat, observed = {}], n) => {
    const time = `2026-11-24T08:${String(n).padStart(2, "0")}:00.000Z`;
    const entry = JSON.stringify({ time, holder: "me", step, beat, observed });
    return [`${time.replaceAll(":", "")}.0.${step}.${beat}`, entry] as const;
  });
  return { data: Object.fromEntries(data) };
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
