import { Journal } from "../../components/cluster/journal";
import type { Fence } from "../../components/cluster/lease";
import { PAUSED_ANNOTATION, UPGRADE_ANNOTATION } from "../../components/steps/world";
import { keyFingerprint } from "../../components/keyProof/proveKey";
import type { StepContext } from "../../components/steps/runStep";
import { FakeKube } from "./fakeKube";
import { FakeOpenBao, fakeServer, type FakeServer } from "./fakeOpenBao";

const NS = "openbao";
const TOKEN = "test-token";
/** The held unseal key. */
export const STEP_KEY = "0e".repeat(32);
const RELEASE = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${NS}/helmreleases/openbao`;
const STATEFUL_SET = `/apis/apps/v1/namespaces/${NS}/statefulsets/openbao`;
const POD = `/api/v1/namespaces/${NS}/pods/openbao-0`;

/** A small world for one step: objects in a FakeKube, and one fake server a pod. */
export class StepWorld {
  readonly kube = new FakeKube();
  readonly servers: Record<string, FakeServer> = { "openbao-0": fakeServer("file", TOKEN) };
  readonly context: StepContext;
  private readonly journal = new Journal(this.kube, NS, "tester");

  constructor(step: string) {
    this.release({}).statefulSet(1).pod0("rev-1");
    const fence: Fence = { holder: "tester", value: 1, assertHeld: () => Promise.resolve() };
    this.context = {
      input: {
        step,
        namespace: NS,
        release: "openbao",
        replicas: 3,
        keySecret: { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" },
        podTimeoutSeconds: 1,
        copyTimeoutSeconds: 1,
        volatile: [],
      },
      kube: this.kube,
      journal: this.journal,
      fence,
      bao: (pod) => new FakeOpenBao(pod, this.servers[pod] ?? { ...fakeServer("raft", TOKEN), up: false }),
      keys: () => Promise.resolve({ unsealKey: STEP_KEY, rootToken: TOKEN }),
      log: () => undefined,
    };
  }

  release(values: object, paused = false): this {
    const annotations: Record<string, string> = paused
      ? { [PAUSED_ANNOTATION]: "tester", [UPGRADE_ANNOTATION]: "null" }
      : {};
    this.kube.put(RELEASE, {
      metadata: { name: "openbao", namespace: NS, generation: 1, annotations },
      spec: { values, ...(paused && { suspend: true }) },
      status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
    });
    return this;
  }

  statefulSet(replicas: number, updateRevision = "rev-1"): this {
    this.kube.put(STATEFUL_SET, {
      metadata: { name: "openbao", namespace: NS },
      spec: { replicas, template: { metadata: { labels: {} }, spec: { containers: [{ name: "openbao" }] } } },
      status: { updateRevision, readyReplicas: replicas },
    });
    return this;
  }

  pod0(revision: string, uid = "uid-0"): this {
    this.kube.put(POD, {
      metadata: {
        name: "openbao-0",
        namespace: NS,
        uid,
        labels: { "controller-revision-hash": revision },
      },
      spec: { nodeName: "node-1" },
      status: { phase: "Running" },
    });
    return this;
  }

  noPod(): this {
    this.kube.drop(POD);
    return this;
  }

  /** openbao-0 answers from Raft. */
  onRaft(seal: Record<string, unknown> = {}): this {
    const server = fakeServer("raft", TOKEN);
    this.servers["openbao-0"] = { ...server, seal: { ...server.seal, ...seal } };
    return this;
  }

  /** Stage backup has proved the held key, or the one that is given. */
  provenKey(key = STEP_KEY): Promise<this> {
    return this.done("key-proof", { store: "store", fingerprint: keyFingerprint(key, "store") });
  }

  /** The server's ConfigMap as the chart rendered it. */
  rendered(storage: "file" | "raft"): this {
    const text = `storage "${storage}" { path = "/openbao/data" }`;
    this.kube.put(`/api/v1/namespaces/${NS}/configmaps/openbao-config`, {
      data: { "extraconfig-from-values.hcl": text },
    });
    return this;
  }

  /** Stopped, and carried over: nobody has scaled the StatefulSet since. */
  async carriedOver(): Promise<this> {
    this.statefulSet(0).noPod();
    const { metadata } = this.kube.peek<{ metadata: { generation: number } }>(STATEFUL_SET)!;
    return this.done("carry", { generation: metadata.generation });
  }

  async done(step: string, observed: Record<string, unknown> = {}): Promise<this> {
    return this.wrote(step, "done", observed);
  }

  /** An entry of the journal, as an earlier run left it. */
  async wrote(step: string, beat: "act" | "done", observed: Record<string, unknown> = {}): Promise<this> {
    await this.journal.append({ step, beat, observed });
    this.kube.writes.length = 0;
    return this;
  }
}

/** Values of a HelmRelease that asks for ha.raft. */
export const RAFT_VALUES = { server: { ha: { enabled: true, raft: { enabled: true } } } };
