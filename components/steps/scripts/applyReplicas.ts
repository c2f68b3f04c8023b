// Before: all nodes are voters; the HelmRelease asks for their number and is suspended.
// After: the chart's objects agree with the live ones (replicas, PodDisruptionBudget), and no pod was restarted.
import type { V1PodDisruptionBudget, V1StatefulSet } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { raftPeers } from "../../cluster/openBaoStatus";
import { selectorTakes } from "../../gate/selector";
import { applyRelease } from "../applyRelease";
import { hasResumed } from "../pauseRecord";
import { isPaused } from "../pausing";
import { Refused, type Step, type StepContext } from "../runStep";
import { activePod, observeWorld, podNames, wantedReplicas } from "../world";
import { podUids, restartedPods } from "../podUids";

export const applyReplicas: Step = {
  id: "apply-replicas",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const { replicas } = ctx.input;
    if (wantedReplicas(world.release) !== replicas) {
      return {
        state: "refuse",
        hazard: "I35",
        why: `the HelmRelease asks for ${wantedReplicas(world.release)} replicas, expected ${replicas}`,
      };
    }
    if ((world.statefulSet.spec?.replicas ?? 0) !== replicas) {
      return {
        state: "refuse",
        hazard: "I35",
        why: `the StatefulSet has ${world.statefulSet.spec?.replicas} replicas, expected ${replicas}`,
      };
    }
    const done = await ctx.journal.done("apply-replicas");
    if (done !== undefined && (isPaused(world.release) || (await hasResumed(ctx)))) {
      return { state: "done", observed: done.observed };
    }
    return { state: "todo", observed: { replicas } };
  },

  async act(ctx) {
    const before = await podUids(ctx);
    await ctx.fence.assertHeld();
    await applyRelease(ctx, async () => {
      const { statefulSet } = await observeWorld(ctx);
      const live = statefulSet.spec?.replicas;
      return live === ctx.input.replicas ? undefined : `the StatefulSet has ${live} replicas`;
    });
    const restarted = restartedPods(before, await podUids(ctx));
    if (restarted.length > 0) {
      throw new Refused(
        `applying the replica count restarted ${restarted.join(", ")}, expected no restart [I39]`,
        "I39",
      );
    }
  },

  async verify(ctx) {
    const { statefulSet } = await observeWorld(ctx);
    const leader = await activePod(ctx, podNames(statefulSet));
    if (leader === undefined)
      throw new Error("no pod says that it is the active node; look at `bao status` of each");
    const peers = await raftPeers(ctx.bao(leader), (await ctx.keys()).rootToken);
    const voters = peers.filter((peer) => peer.voter).length;
    const leaders = peers.filter((peer) => peer.leader).length;
    if (voters !== ctx.input.replicas || peers.length !== voters || leaders !== 1) {
      throw new Refused(
        `${voters} voters of ${peers.length} peers and ${leaders} leaders were found, expected ${ctx.input.replicas} voters and one leader [I28]`,
        "I28",
      );
    }
    return { peers, leader, podDisruptionBudget: await onlyBudget(ctx, statefulSet) };
  },
};

/** @throws Refused unless exactly one PodDisruptionBudget selects the pods, and lets one of them go (hazard I37). */
async function onlyBudget(ctx: StepContext, statefulSet: V1StatefulSet): Promise<string> {
  const labels = statefulSet.spec?.template.metadata?.labels ?? {};
  const budgets = await ctx.kube.list<V1PodDisruptionBudget & KubeObject>(
    `/apis/policy/v1/namespaces/${ctx.input.namespace}/poddisruptionbudgets`,
  );
  const selecting = budgets.filter((budget) => selectorTakes(budget.spec?.selector, labels));
  const allowed = (ctx.input.replicas - 1) / 2;
  const [only] = selecting;
  if (selecting.length !== 1 || only === undefined) {
    throw new Refused(
      `${selecting.length} PodDisruptionBudgets select the server's pods (${selecting.map((b) => b.metadata?.name).join(", ")}), expected one [I37]`,
      "I37",
    );
  }
  const most = only.spec?.maxUnavailable;
  if (typeof most === "number" && (most < 1 || most > allowed)) {
    throw new Refused(
      `maxUnavailable of "${only.metadata?.name}" is ${most}, expected 1 to ${allowed} [I36]`,
      "I36",
    );
  }
  return `${only.metadata?.name}: maxUnavailable ${most ?? "unset"}`;
}

export default applyReplicas;
