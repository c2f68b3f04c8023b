import type { KubeObject } from "../../components/cluster/kubeClient";
import type { OpenBao } from "../../components/cluster/openBaoClient";
import type { StepContext } from "../../components/steps/runStep";
import { fakeServer } from "./fakeOpenBao";
import { jobsEnd } from "./jobsEnd";
import { ModelOpenBao, modelContent } from "./modelOpenBao";
import { OWNER, RELEASE } from "./ownedRelease";
import type { StepWorld } from "./stepContext";
import { RESEED } from "./stepWorlds";

const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
const PODS = "/api/v1/namespaces/openbao/pods";
const SERVER = { "app.kubernetes.io/instance": "openbao", component: "server" };
/** What a Job may tell: each step takes its own of it. */
const FACTS = { entries: 5, bytes: 1, zeroByte: 0, temp: 0, sha256: "a" };

export type Path = StepContext["input"]["path"];

/** The step's waits end after one look. */
export function bounded(
  context: StepContext,
  more: Partial<StepContext["input"]> = {},
  seconds = 0,
): StepContext {
  const input = { ...context.input, ...more, podTimeoutSeconds: seconds, copyTimeoutSeconds: seconds };
  return { ...context, input };
}

/** With controllers that do at once what is written, and with servers that take keys and hold content. */
export function obeyed(world: StepWorld, path: Path): StepContext {
  jobsEnd(world, 0, FACTS);
  world.kube.onWrite(({ verb, path: at, body }) => {
    if (at === `${STATEFUL_SET}/scale`) scaled(world, (body as { spec: { replicas: number } }).spec.replicas);
    if (verb === "remove" && at.startsWith(`${PODS}/openbao-`)) started(world, at.split("/").at(-1)!);
    if (verb === "mergePatch" && at === RELEASE) applied(world);
    if (verb === "mergePatch" && at === OWNER) ranOver(world);
  });
  const model = new ModelOpenBao(modelContent());
  const bao = (pod: string) => serving(world, pod, model);
  return bounded({ ...world.context, bao }, { ...(path !== undefined && { path, reseed: RESEED }) });
}

function serving(world: StepWorld, pod: string, model: OpenBao): OpenBao {
  const node = world.context.bao(pod);
  const request: OpenBao["request"] = (method, path, call) => {
    const ofNode =
      /^\/v1\/(sys\/(seal-status|health|leader|storage|capabilities-self)|auth\/token\/lookup-self)/;
    if (ofNode.test(path)) return node.request(method, path, call);
    if (path === "/v1/sys/unseal") {
      Object.assign(world.servers[pod]?.seal ?? {}, { sealed: false });
      return Promise.resolve({ status: 200, body: {} });
    }
    if (path === "/v1/sys/step-down") {
      Object.assign(world.servers[pod]!, { isLeader: false });
      Object.assign(world.servers["openbao-1"] ?? {}, { isLeader: true });
      return Promise.resolve({ status: 204, body: {} });
    }
    return model.request(method, path, call);
  };
  return { where: pod, request, close: () => undefined };
}

function scaled(world: StepWorld, replicas: number): void {
  const { updateRevision } = world.kube.peek<{ status: { updateRevision: string } }>(STATEFUL_SET)!.status;
  world.statefulSet(replicas, updateRevision);
  for (const n of [0, 1, 2]) {
    if (n >= replicas) world.kube.drop(`${PODS}/openbao-${n}`);
    else if (world.kube.peek(`${PODS}/openbao-${n}`) === undefined) started(world, `openbao-${n}`);
  }
}

/** The StatefulSet makes the pod anew, sealed. */
function started(world: StepWorld, pod: string): void {
  const { spec, status } = world.kube.peek<{
    spec: { replicas: number };
    status: { updateRevision: string };
  }>(STATEFUL_SET)!;
  if (Number(pod.split("-").at(-1)) >= spec.replicas) return;
  const labels = { ...SERVER, "controller-revision-hash": status.updateRevision };
  world.kube.put(`${PODS}/${pod}`, {
    metadata: { name: pod, uid: `uid-${pod}-${Math.random()}`, labels },
    spec: { nodeName: "node-1" },
    status: { phase: "Running" },
  });
  const server = fakeServer("raft", "test-token");
  world.servers[pod] ??= { ...server, isLeader: false, seal: { ...server.seal, sealed: true } };
}

interface Applied extends KubeObject {
  spec: { suspend?: boolean; values?: { server?: { ha?: { enabled?: boolean; replicas?: number } } } };
  status: { observedGeneration?: number };
}

/** helm-controller, where it is let to. */
function applied(world: StepWorld): void {
  const release = world.kube.peek<Applied>(RELEASE)!;
  if (release.spec.suspend === true) return;
  const ha = release.spec.values?.server?.ha;
  world.rendered(ha?.enabled === true ? "raft" : "file");
  const status = { ...release.status, observedGeneration: release.metadata?.generation ?? 0 };
  world.kube.put(RELEASE, { ...release, status } as never);
  const wanted = ha?.replicas ?? 1;
  const live = world.kube.peek<{ spec: { replicas: number } }>(STATEFUL_SET)!.spec.replicas;
  if (live !== wanted) scaled(world, wanted);
}

/** kustomize-controller, which finds Git as the release is. */
function ranOver(world: StepWorld): void {
  const owner = world.kube.peek<Applied>(OWNER)!;
  const asked = owner.metadata?.annotations?.["reconcile.fluxcd.io/requestedAt"];
  const status = {
    observedGeneration: owner.metadata?.generation,
    lastHandledReconcileAt: asked,
    lastAppliedRevision: "main@sha1:a",
    conditions: [{ type: "Ready", status: "True", observedGeneration: owner.metadata?.generation }],
  };
  world.kube.put(OWNER, { ...owner, status } as never);
}
