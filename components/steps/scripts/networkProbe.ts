// Before: the network policy of stage network is applied.
// After: pods with the server's labels on different nodes reach each other on 8200 and 8201, both ways, proved by
// connections. The probe pods are removed again.
import type { V1Node, V1StatefulSet } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { probePods, PROBE_PORTS, readProbe, removeProbes, startProbes } from "../networkProbe";
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
        `${probes.length} schedulable nodes were found, ${replicas} are needed since two servers never share a node; add nodes or remove taints [I42]`,
        "I42",
      );
    }
    ctx.log(`probing ${PROBE_PORTS.join(" and ")} between ${probes.map((p) => p.node).join(", ")}`);
    await startProbes(ctx, probes);
  },

  async verify(ctx) {
    try {
      const result = await readProbe(ctx);
      if (result.blocked.length > 0) {
        throw new Refused(
          `blocked between pods with the server's labels: ${result.blocked.join("; ")}. Expected: ${PROBE_PORTS.join(" and ")} open from every node to every node. Fix: allow openbao <-> openbao on both ports, ingress and egress, in every policy and firewall between the nodes [F44]`,
          "F44",
        );
      }
      return { connections: result.open, nodes: result.nodes };
    } finally {
      await removeProbes(ctx);
    }
  },
};

export default networkProbe;
