// Before: all nodes are voters under one leader.
// After: the leader has stepped down, another node took over within the bound, and all are voters still.
import { mutating } from "../../cluster/failpoint";
import { raftPeers, unexpected } from "../../cluster/openBaoStatus";
import { startedTwice } from "../oneUnseal";
import { Refused, type Facts, type Step, type StepContext } from "../runStep";
import { activePod, answeredStatus, leaderPod, observeWorld, podNames, until } from "../world";

const FAILOVER_SECONDS = 60;
/** Raft may elect the same node again, for one when the others lag or have just stepped down themselves. */
const ATTEMPTS = 3;
/** A leader that still leads after so long has not taken the request. */
const STEP_DOWN_SECONDS = 15;

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
    const { rootToken } = await ctx.keys();
    let seen = "";
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = await activePod(ctx, pods);
      if (before === undefined) throw new Error("no pod says that it is the active node");
      await ctx.fence.assertHeld();
      const started = Date.now();
      const reply = await mutating("PUT /v1/sys/step-down", () =>
        ctx.bao(before).request("PUT", "/v1/sys/step-down", { token: rootToken }),
      );
      if (reply.status !== 204 && reply.status !== 200) throw unexpected(ctx.bao(before), "step-down", reply);
      const after = await nextLeader(ctx, pods, before);
      if (after !== before) {
        facts = { from: before, to: after, seconds: (Date.now() - started) / 1000, attempts: attempt };
        return;
      }
      seen = after;
      ctx.log(`${before} was asked to step down and leads again or still; it is asked once more`);
    }
    const why = `${ATTEMPTS} times the leader was asked to step down, and ${seen} leads again; expected another node to take over, as it must when that one is lost`;
    const remedy = (await startedTwice(ctx, seen, 0))
      ? `It started to serve twice, as its log says ("entering standby mode"), and then never steps down. Restart it: kubectl -n ${ctx.input.namespace} delete pod ${seen}. Wait until all nodes are unsealed, then run again`
      : "Look at the logs of the others, then run again";
    throw new Refused(`${why}. ${remedy} [F70]`, "F70");
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

/**
 * The node that leads once the election is over: another, or the same again or still.
 * @throws KubeError with reason Timeout when nobody leads.
 */
function nextLeader(ctx: StepContext, pods: readonly string[], before: string): Promise<string> {
  const deaf = Date.now() + STEP_DOWN_SECONDS * 1000;
  let left = false;
  return until<string>("the election after the step-down to end", FAILOVER_SECONDS, async () => {
    const leader = await leaderPod(ctx, pods);
    if (leader === before && !left && Date.now() < deaf) return { seen: `${leader}, which leads still` };
    left = true;
    return leader === undefined ? { seen: "no active node" } : { value: leader };
  });
}

export default failoverDrill;
