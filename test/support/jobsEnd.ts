import type { KubeObject } from "../../components/cluster/kubeClient";
import type { StepWorld } from "./stepContext";

export const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";

/** Each Job that is made ends at once with `exitCode`, and with `message` as its termination message. */
export function jobsEnd(world: StepWorld, exitCode: number, message?: object): StepWorld {
  world.kube.onWrite(({ verb, path, body }) => {
    if (verb !== "create" || path !== JOBS) return;
    const name = (body as KubeObject).metadata?.name ?? "";
    const status = { conditions: [{ type: exitCode === 0 ? "Complete" : "Failed", status: "True" }] };
    const terminated = { exitCode, ...(message !== undefined && { message: JSON.stringify(message) }) };
    world.kube.put(`${JOBS}/${name}`, { ...(body as object), status });
    world.kube.put(`/api/v1/namespaces/openbao/pods/${name}-x`, {
      metadata: { labels: { app: name } },
      status: { containerStatuses: [{ state: { terminated } }] },
    });
  });
  return world;
}
