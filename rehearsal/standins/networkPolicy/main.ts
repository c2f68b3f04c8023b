/**
 * Stand-in for a CNI's NetworkPolicy enforcement, which cannot be had on a closed machine: watches policies, pods and
 * namespaces and writes each node's nftables rules. See README.md for what it does not do.
 *
 * Precondition: KUBECONFIG, REHEARSAL_NETNS ("node-1=obr-node-1,...") and REHEARSAL_READY_FILE are set; root.
 * REHEARSAL_CNI_RESULTS names libcni's result folder when it is not /var/lib/cni/results.
 * Postcondition: rules are in force on every node once the ready file exists, and follow the cluster until SIGTERM.
 * They stay when it ends: whoever made the network namespaces removes them.
 */
import { setPriority } from "node:os";
import type { V1Namespace, V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import { ApiServer } from "./apiServer";
import { EarlyAddresses } from "./earlyAddresses";
import { Enforcer } from "./enforcer";
import { FollowedList } from "./followedList";
import { requiredEnv } from "./requiredEnv";
import { rulesetFor } from "./rulesetFor";
import { runFollower } from "./runFollower";

function parseNetns(value: string): Enforcer[] {
  return value.split(",").map((entry) => {
    const [node, netns, ...rest] = entry.split("=");
    if (!node || !netns || rest.length > 0 || netns.includes("/")) {
      throw new Error(
        `REHEARSAL_NETNS has the entry "${entry}"; expected node=namespace, separated by commas`,
      );
    }
    return new Enforcer(node, netns);
  });
}

/** Pods, with the address that the CNI gave them where the kubelet has not reported one yet. */
function withAddresses(pods: readonly V1Pod[], early: ReadonlyMap<string, string>): V1Pod[] {
  return pods.map((pod) => {
    const podIP = pod.status?.podIP ?? early.get(pod.metadata?.uid ?? "");
    return podIP === pod.status?.podIP ? pod : { ...pod, status: { ...pod.status, podIP } };
  });
}

async function main(): Promise<void> {
  // Rules must not come late because the nodes' pods are busy; a real CNI agent has its share reserved.
  setPriority(-10);
  const enforcers = parseNetns(requiredEnv("REHEARSAL_NETNS"));
  const api = new ApiServer(requiredEnv("KUBECONFIG"));
  const pods = new FollowedList<V1Pod>(api, "/api/v1/pods");
  const namespaces = new FollowedList<V1Namespace>(api, "/api/v1/namespaces");
  const policies = new FollowedList<V1NetworkPolicy>(api, "/apis/networking.k8s.io/v1/networkpolicies");
  const early = new EarlyAddresses(process.env["REHEARSAL_CNI_RESULTS"] ?? "/var/lib/cni/results");

  const enforceOn = async (enforcer: Enforcer): Promise<boolean> => {
    const began = Date.now();
    const ruleset = rulesetFor(
      enforcer.node,
      withAddresses(pods.items(), early.byUid()),
      namespaces.items(),
      policies.items(),
    );
    try {
      if (await enforcer.enforce(ruleset)) {
        console.error(
          `${new Date().toISOString()} ${enforcer.node}: rules in force after ${Date.now() - began} ms`,
        );
      }
      return true;
    } catch (error) {
      // One node that is being repaired must not keep the others from their rules.
      console.error(
        `${enforcer.node}: ${error instanceof Error ? error.message : String(error)}; trying again`,
      );
      return false;
    }
  };
  await runFollower({
    sources: [pods, namespaces, policies, early],
    readyFile: requiredEnv("REHEARSAL_READY_FILE"),
    reconcile: async () => (await Promise.all(enforcers.map(enforceOn))).every(Boolean),
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
