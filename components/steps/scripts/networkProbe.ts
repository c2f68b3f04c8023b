// Before: the network policy of stage network is applied.
// After: pods with the server's labels on the nodes that fit it reach each other on 8200 and 8201, both ways, the running
// server by its name, and the API server; proved by connections. The probe pods are removed again.
import type { V1Node, V1StatefulSet } from "@kubernetes/client-node";
import { KubeError, type KubeClient, type KubeObject } from "../../cluster/kubeClient";
import { readProbe, removeProbes, startProbes, type ProbeResult } from "../networkProbe";
import { probePods, PROBE_PORTS } from "../probePods";
import { Refused, type Step } from "../runStep";
import { observeWorld, statefulSetsPath } from "../world";

export const networkProbe: Step = {
  id: "network-probe",

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const ready = world.statefulSet.status?.readyReplicas ?? 0;
    if (world.moved && ready >= ctx.input.replicas) {
      return {
        state: "done",
        observed: { proof: "the Raft nodes of this cluster talk to each other", ready },
      };
    }
    return { state: "todo", observed: { ports: PROBE_PORTS } };
  },

  async act(ctx) {
    const { namespace, release, replicas } = ctx.input;
    await removeProbes(ctx);
    const [statefulSet, nodes] = await Promise.all([
      ctx.kube.get<V1StatefulSet & KubeObject>(`${statefulSetsPath(namespace)}/${release}`),
      ctx.kube.list<V1Node & KubeObject>("/api/v1/nodes"),
    ]);
    const probes = probePods(statefulSet, nodes, replicas);
    if (probes.length < replicas) {
      throw new Refused(
        `${probes.length} nodes fit the server (ready, open, selected and tolerated), ${replicas} are needed since two servers never share a node; add nodes, or correct taints, nodeSelector or affinity [I42]`,
        "I42",
      );
    }
    ctx.log(`probing ${PROBE_PORTS.join(" and ")} between ${probes.map((p) => p.node).join(", ")}`);
    await startProbes(ctx, probes);
  },

  async verify(ctx) {
    try {
      const result = await readProbe(ctx);
      const faults = faultsOf(result, await selectsComponent(ctx.kube, ctx.input.namespace, result));
      if (faults.length > 0)
        throw new Refused(faults.map(({ text, id }) => `${text} [${id}]`).join(". "), faults[0]!.id);
      const { open: connections, nodes, named, api } = result;
      return { connections, nodes, named, api };
    } finally {
      await removeProbes(ctx);
    }
  },
};

/** Pure: what stands in the way, each with its hazard. */
function faultsOf(result: ProbeResult, byComponent: boolean): { text: string; id: string }[] {
  const { blocked, unnamed, apiClosed } = result;
  const ports = `blocked between pods with the server's labels: ${blocked.join("; ")}. Expected: ${PROBE_PORTS.join(" and ")} open from every node to every node. Fix: allow openbao <-> openbao on both ports, ingress and egress, in every policy and firewall between the nodes`;
  const names = `no answer of the running server by the name that retry_join uses: ${unnamed.join("; ")}. Expected: the headless Service's name resolves on every node, and port ${PROBE_PORTS[0]} answers. Fix: allow egress to the cluster's DNS (port 53, UDP and TCP), and look at the Service's endpoints`;
  const api = `no answer of the API server to pods with the server's labels: ${apiClosed.join("; ")}. Expected: it answers, since service_registration writes the server's labels there. Fix: allow egress to the API server (its Service's port, and its own)`;
  return [
    ...(blocked.length > 0 ? [{ text: ports, id: "F44" }] : []),
    ...(unnamed.length > 0 ? [{ text: names, id: "F49" }] : []),
    ...(apiClosed.length > 0 && !byComponent ? [{ text: api, id: "I10" }] : []),
  ];
}

/**
 * True when a NetworkPolicy selects its pods by the label that probes leave out (ADR 3): what it allows the server, it
 * does not allow a probe, so that a closed way to the API server proves nothing.
 */
async function selectsComponent(kube: KubeClient, namespace: string, { apiClosed }: ProbeResult) {
  if (apiClosed.length === 0) return false;
  try {
    const policies = await kube.list<KubeObject & { spec?: { podSelector?: object } }>(
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    );
    return policies.some(({ spec }) => /"component"/.test(JSON.stringify(spec?.podSelector ?? {})));
  } catch (error) {
    // What was found closed is the news, and not why the policies cannot be listed.
    if (error instanceof KubeError) return false;
    throw error;
  }
}

export default networkProbe;
