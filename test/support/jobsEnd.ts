import type { KubeObject } from "../../components/cluster/kubeClient";
import type { FakeKube } from "./fakeKube";
import type { StepWorld } from "./stepContext";

export const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";

/** The pod of the Job of that name, as its controller labels it, whose script has ended so. */
export function podOfJob(kube: FakeKube, name: string, terminated: object): void {
  const uid = kube.peek<KubeObject>(`${JOBS}/${name}`)?.metadata?.uid ?? "";
  kube.put(`/api/v1/namespaces/openbao/pods/${name}-x`, {
    metadata: { labels: { app: name, "controller-uid": uid } },
    status: { containerStatuses: [{ name: "step", state: { terminated } }] },
  });
}

/** Each Job that is made ends at once with `exitCode`, and with `message` as its termination message. */
export function jobsEnd(world: StepWorld, exitCode: number, message?: object): StepWorld {
  world.kube.onWrite(({ verb, path, body }) => {
    if (verb !== "create" || path !== JOBS) return;
    const name = (body as KubeObject).metadata?.name ?? "";
    const status = { conditions: [{ type: exitCode === 0 ? "Complete" : "Failed", status: "True" }] };
    const terminated = { exitCode, ...(message !== undefined && { message: JSON.stringify(message) }) };
    world.kube.put(`${JOBS}/${name}`, { ...(body as object), status });
    podOfJob(world.kube, name, terminated);
  });
  return world;
}
