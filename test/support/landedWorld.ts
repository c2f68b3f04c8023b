import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { land } from "../../components/land/landing";
import { Refused, runBeats } from "../../components/steps/runStep";
import { zeroDrift } from "../../components/steps/scripts/zeroDrift";
import { managedBy } from "./fakeFields";
import { releaseSecret, revisionPath, type Revision } from "./helmRelease";
import { LandingCheckout } from "./landingCheckout";
import { StepWorld } from "./stepContext";
import type { ManagedFields } from "../../components/cluster/fieldOwners";
import type { Json } from "./fakeKubeRules";

export const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
export const OWNER = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/infra";
const VARIABLES = "/api/v1/namespaces/flux-system/configmaps/variables-cluster";
const VALUES = "helm-values.yaml";
const PODS = "/api/v1/namespaces/openbao/pods";
export const CHART = "openbao 0.29.2";

/** What the chart renders, as far as each kind differs in how the API server keeps it. */
export const MANIFEST = `---
# Source: openbao/templates/serviceaccount.yaml
apiVersion: v1
kind: ServiceAccount
metadata: { name: openbao }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: openbao-config, namespace: openbao }
data:
  extraconfig-from-values.hcl: |
    storage "raft" { path = "/openbao/data" }
---
apiVersion: v1
kind: Service
metadata:
  name: openbao
  labels: { app.kubernetes.io/name: openbao }
  annotations: {}
spec:
  publishNotReadyAddresses: false
  clusterIP: ""
  ports: [{ name: http, port: 8200, targetPort: 8200 }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: openbao }
spec: { maxUnavailable: 1 }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: openbao }
spec:
  podSelector: {}
  ingress:
    - ports: [{ port: 8200 }, { port: 8201 }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: openbao, namespace: openbao }
spec:
  replicas: 3
  template:
    spec:
      hostNetwork: false
      containers:
        - name: openbao
          image: openbao:2.4.0
          resources: { limits: { cpu: 1000m, memory: 512Mi }, requests: { cpu: 0.25 } }
          env:
            - { name: CANARY, value: canary-of-the-values }
            - { name: EMPTY, value: "" }
          volumeMounts: [{ name: data, mountPath: /openbao/data }]
      volumes: [{ name: config, configMap: { name: openbao-config, defaultMode: 0640 } }]
`;
/** A secret that stands in values and manifest: no message may hold it. */
export const CANARY = "canary-of-the-values";

type Live = Json & { spec: Record<string, never> };

const RENDERED = (parseAllDocuments(MANIFEST, { version: "1.1" }) as { toJS(): unknown }[]).map(
  (document) => document.toJS() as Live,
);

interface Landed {
  readonly checkout: LandingCheckout;
  readonly values: Record<string, unknown>;
  readonly head: string;
}

/** Landed once a process: the step only reads it. The values stand in a file of Helm's own, too. */
let landedOnce: Promise<Landed> | undefined;

async function landing(): Promise<Landed> {
  const checkout = await LandingCheckout.make();
  process.on("exit", () => checkout.remove());
  const { values } = await land(checkout.plan);
  writeFileSync(join(checkout.plan.checkout, VALUES), stringify(values));
  checkout.git("add", VALUES);
  checkout.commitAll();
  return { checkout, values, head: checkout.git("rev-parse", "HEAD") };
}

/** Landed, merged, resumed by Flux: what step zero-drift finds. */
export class LandedWorld {
  private constructor(
    readonly world: StepWorld,
    /** The HelmRelease's values as they were landed. */
    readonly values: Record<string, unknown>,
  ) {}

  /** @param flux false where Helm itself delivers. */
  static async make(flux = true, world = new StepWorld("zero-drift")): Promise<LandedWorld> {
    const { checkout, values, head } = await (landedOnce ??= landing());
    const { checkout: folder, branch, helmRelease, variables, replicasVariable } = checkout.plan;
    const files = flux ? { helmRelease, variables } : { values: VALUES };
    const git = { checkout: folder, branch, ...files, replicasVariable, push: true };
    Object.assign(world.context.input, { git, chart: CHART, ...(!flux && { delivery: "helm" }) });
    const made = new LandedWorld(world, values);
    if (flux) made.release().owner(head);
    else world.kube.drop(RELEASE);
    made.helm().objects().pods();
    await world.done("land-git", { head });
    const before = { pods: made.identities(), revision: 7, chart: CHART };
    await world.wrote("resume", "act", before);
    await world.done("resume");
    return made;
  }

  get kube() {
    return this.world.kube;
  }

  run() {
    return runBeats(zeroDrift, this.world.context);
  }

  /** Refused for drift with all these words, and with no value of the release. */
  async refused(...words: RegExp[]): Promise<void> {
    await assert.rejects(this.run(), (error: unknown) => {
      assert.ok(error instanceof Refused, String(error));
      assert.match(error.message, /\[I39\]$/);
      for (const one of words) assert.match(error.message, one);
      assert.ok(!error.message.includes(CANARY), error.message);
      return true;
    });
  }

  /** The landed values with a change under `server`. */
  valuesWith(change: (server: Record<string, unknown>) => void): Record<string, unknown> {
    const copy = structuredClone(this.values) as { server: Record<string, unknown> };
    change(copy.server);
    return copy;
  }

  release(values: object = this.values, managedFields: ManagedFields[] = [byFlux(values)]): this {
    const labels = {
      "kustomize.toolkit.fluxcd.io/name": "infra",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    this.kube.put(RELEASE, {
      metadata: { name: "openbao", namespace: "openbao", generation: 9, labels, managedFields },
      spec: { values },
      status: {
        observedGeneration: 999,
        conditions: [{ type: "Ready", status: "True" }],
        history: [snapshot(8)],
      },
    });
    return this;
  }

  /** Helm's newest revision. */
  helm(one: Partial<Revision> = {}): this {
    const revision = { revision: 8, values: this.values, manifest: MANIFEST, ...one };
    this.kube.put(revisionPath(revision.revision), releaseSecret(revision));
    return this;
  }

  /** What the Kustomization does when it is asked to run once more. */
  onRun(react: () => void = () => undefined): this {
    this.kube.onWrite(({ path, body }) => {
      const asked = (body as Json | undefined)?.metadata?.annotations?.["reconcile.fluxcd.io/requestedAt"];
      if (path !== OWNER || asked === undefined) return;
      react();
      const now = this.kube.peek<Json & { status: object }>(OWNER)!;
      this.kube.put(OWNER, { ...now, status: { ...now.status, lastHandledReconcileAt: asked } });
    });
    return this;
  }

  /** Changes a live object by hand. */
  edit(path: string, change: (live: Live) => void, by?: ManagedFields): this {
    const live = this.kube.peek<Live>(path)!;
    change(live);
    if (by !== undefined) live.metadata!.managedFields = [...(live.metadata!.managedFields ?? []), by];
    this.kube.put(path, live);
    return this;
  }

  pods(restarts = 0): this {
    for (const n of [0, 1, 2]) {
      this.kube.put(`${PODS}/openbao-${n}`, {
        metadata: {
          name: `openbao-${n}`,
          uid: `uid-${n}`,
          labels: { "app.kubernetes.io/instance": "openbao", component: "server" },
        },
        spec: { nodeName: `node-${n}` },
        status: { containerStatuses: [{ restartCount: n === 1 ? restarts : 0 }] },
      });
    }
    return this;
  }

  private identities(): Record<string, string> {
    return Object.fromEntries([0, 1, 2].map((n) => [`openbao-${n}`, `uid-${n}/0`]));
  }

  private owner(head: string): this {
    const revision = `main@sha1:${head}`;
    this.kube.put(VARIABLES, { data: { openbao_replicas: "3" } });
    this.kube.put(OWNER, {
      metadata: { name: "infra", generation: 1 },
      spec: {
        sourceRef: { kind: "GitRepository", name: "flux-system" },
        postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "variables-cluster" }] },
      },
      status: {
        lastAppliedRevision: revision,
        conditions: [{ type: "Ready", status: "True", observedGeneration: 1 }],
      },
    });
    return this;
  }

  /** As the API server keeps them: defaults added, quantities written anew, empty fields left out. */
  private objects(): this {
    for (const object of RENDERED) {
      const path = pathOf(object);
      if (path === undefined) continue;
      this.kube.put(path, asKept(object));
    }
    return this;
  }
}

/** An entry of `status.history`. */
export function snapshot(version: number, chartVersion = "0.29.2"): object {
  const digest = "sha256:of-the-release";
  return { name: "openbao", version, status: "deployed", digest, chartName: "openbao", chartVersion };
}

/** The API server's record of all values as kustomize-controller's. */
export function byFlux(values: object): ManagedFields {
  const paths: string[][] = [];
  const walk = (node: unknown, path: string[]): void => {
    const isMap = typeof node === "object" && node !== null && !Array.isArray(node);
    if (!isMap) return void paths.push(path);
    for (const [key, value] of Object.entries(node)) walk(value, [...path, key]);
  };
  walk(values, ["spec", "values"]);
  return managedBy("kustomize-controller", "Apply", "2026-11-24T10:00:00Z", paths);
}

export function pathOf({ apiVersion = "", kind = "", metadata }: Json): string | undefined {
  const plural = {
    ...{ ConfigMap: "configmaps", Service: "services", StatefulSet: "statefulsets" },
    ...{ PodDisruptionBudget: "poddisruptionbudgets", NetworkPolicy: "networkpolicies" },
  }[kind];
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return plural && `${root}/namespaces/openbao/${plural}/${metadata?.name}`;
}

function asKept(object: Live): Live {
  const kept = JSON.parse(
    JSON.stringify(object)
      .replaceAll(/"(hostNetwork|publishNotReadyAddresses)":false,/g, "")
      .replaceAll('"value":""', '"x-value":""')
      .replaceAll('"clusterIP":""', '"clusterIP":"10.0.0.7"')
      .replaceAll('"1000m"', '"1"')
      .replaceAll('"cpu":0.25', '"cpu":"250m"'),
  ) as Live;
  delete kept.metadata!.annotations;
  return {
    ...kept,
    metadata: { ...kept.metadata, labels: { ...kept.metadata!.labels, "added-by": "somebody" } },
    spec: { ...kept.spec, defaulted: true } as unknown as Live["spec"],
  };
}
