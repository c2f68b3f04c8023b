import type { V1Pod } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import type { StepContext } from "./runStep";
import { podsPath } from "./world";

/** Pod name -> uid and restart count: equal before and after means that nothing was restarted. */
export async function podUids(ctx: StepContext): Promise<Map<string, string>> {
  const pods = await ctx.kube.list<V1Pod & KubeObject>(podsPath(ctx.input.namespace), {
    labelSelector: `app.kubernetes.io/instance=${ctx.input.release},component=server`,
  });
  return new Map(
    pods.map((pod) => {
      const restarts = (pod.status?.containerStatuses ?? []).reduce((sum, c) => sum + c.restartCount, 0);
      return [pod.metadata?.name ?? "", `${pod.metadata?.uid}/${restarts}`];
    }),
  );
}

export function restartedPods(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  return [...before].filter(([name, identity]) => after.get(name) !== identity).map(([name]) => name);
}
