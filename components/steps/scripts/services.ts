// Before: the cluster is complete.
// After: the active Service has one endpoint, and each node has answered one audited request: a full audit volume
// blocks every request while health stays 200 (facts/openbao.md section 9).
import type { V1EndpointSlice } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { unexpected } from "../../cluster/openBaoStatus";
import { type Step, type StepContext } from "../runStep";
import { observeWorld, podNames, until } from "../world";

const SETTLE_SECONDS = 60;

export const services: Step = {
  id: "services",

  async observe(ctx) {
    const done = await ctx.journal.done("services");
    return done === undefined ? { state: "todo", observed: {} } : { state: "done", observed: done.observed };
  },

  async act(ctx) {
    const { rootToken } = await ctx.keys();
    const pods = podNames((await observeWorld(ctx)).statefulSet);
    await Promise.all(
      pods.map(async (pod) => {
        const bound = Math.min(SETTLE_SECONDS, ctx.input.podTimeoutSeconds);
        // A standby asks the active node, which the drill has just changed: one failure says nothing yet.
        await until(`${pod} to answer an audited read (is its audit volume full? [I34])`, bound, async () => {
          const read = (path: string) => ctx.bao(pod).request("GET", path, { token: rootToken });
          const reply = await read("/v1/auth/token/lookup-self");
          if (reply.status === 200) return { value: true };
          // A token without policy "default" may not look at itself; the mounts it may read.
          if (reply.status === 403 && (await read("/v1/sys/mounts")).status === 200) return { value: true };
          throw unexpected(ctx.bao(pod), "an audited read", reply);
        });
      }),
    );
  },

  async verify(ctx) {
    const name = `${ctx.input.release}-active`;
    const bound = Math.min(SETTLE_SECONDS, ctx.input.podTimeoutSeconds);
    const endpoints = await until("the active Service to have one endpoint", bound, async () => {
      const slices = await slicesOf(ctx, name);
      // Each Service has one, also while nothing is behind it.
      if (slices.length === 0)
        return {
          seen: `no EndpointSlice: is there a Service ${name} (chart value server.service.active.enabled)?`,
        };
      const names = podsBehind(slices);
      return names.length === 1 ? { value: names } : { seen: names.join(", ") || "none" };
    });
    return { activeService: name, endpoints };
  },
};

function slicesOf(ctx: StepContext, service: string) {
  return ctx.kube.list<V1EndpointSlice & KubeObject>(
    `/apis/discovery.k8s.io/v1/namespaces/${ctx.input.namespace}/endpointslices`,
    { labelSelector: `kubernetes.io/service-name=${service}` },
  );
}

/** A Service of two IP families has a slice for each, with the same pod in both. */
function podsBehind(slices: readonly V1EndpointSlice[]): string[] {
  const names = slices
    .flatMap((slice) => slice.endpoints ?? [])
    .map((endpoint) => endpoint.targetRef?.name ?? "?");
  return [...new Set(names)];
}

export default services;
