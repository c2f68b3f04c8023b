// Before: all nodes are voters under one leader.
// After: the leader has stepped down once, another node took over within the bound, and all are voters still.
import { mutating } from "../../cluster/failpoint";
import { raftPeers, unexpected } from "../../cluster/openBaoStatus";
import { Refused, type Facts, type Step } from "../runStep";
import { activePod, answeredStatus, leaderPod, observeWorld, podNames, until } from "../world";

const FAILOVER_SECONDS = 60;

let facts: Facts = {};

export const failoverDrill: Step = {
  id: "failover-drill",
  needsPause: true,

  async observe(ctx) {
    const done = await ctx.journal.done("failover-drill");
    if (done !== undefined) return { state: "done", observed: done.observed };
    const { statefulSet } = await observeWorld(ctx);
    const leader = await activePod(ctx, podNames(statefulSet));
    if (leader === undefined)
      return { state: "refuse", hazard: "I28", why: "no pod says that it is the active node" };
    return { state: "todo", observed: { leader } };
  },

  async act(ctx) {
    const pods = podNames((await observeWorld(ctx)).statefulSet);
    const before = await activePod(ctx, pods);
    if (before === undefined) throw new Error("no pod says that it is the active node");
    const { rootToken } = await ctx.keys();
    await ctx.fence.assertHeld();
    const started = Date.now();
    const reply = await mutating("PUT /v1/sys/step-down", () =>
      ctx.bao(before).request("PUT", "/v1/sys/step-down", { token: rootToken }),
    );
    if (reply.status !== 204 && reply.status !== 200) throw unexpected(ctx.bao(before), "step-down", reply);
    const after = await until("another node to become active", FAILOVER_SECONDS, async () => {
      const leader = await leaderPod(ctx, pods);
      return leader !== undefined && leader !== before
        ? { value: leader }
        : { seen: leader ?? "no active node" };
    });
    facts = { from: before, to: after, seconds: (Date.now() - started) / 1000 };
  },

  async verify(ctx) {
    const pods = podNames((await observeWorld(ctx)).statefulSet);
    const { rootToken } = await ctx.keys();
    const voters = await until("all nodes to be voters after the drill", FAILOVER_SECONDS, async () => {
      const leader = await leaderPod(ctx, pods);
      if (leader === undefined) return { seen: "no active node" };
      const count = (await raftPeers(ctx.bao(leader), rootToken)).filter((peer) => peer.voter).length;
      return count === ctx.input.replicas ? { value: count } : { seen: `${count} voters` };
    });
    const ids = new Set(
      await Promise.all(pods.map(async (pod) => (await answeredStatus(ctx, pod)).clusterId)),
    );
    if (ids.size !== 1)
      throw new Refused(`${ids.size} cluster ids were found after the drill, expected one [I28]`, "I28");
    return { ...facts, voters, clusterId: [...ids][0] };
  },
};

export default failoverDrill;
