// Before: openbao-0 runs on the carried Raft store.
// After: it is unsealed with the stored key, active, the only Raft peer under the pod's own address, and its cluster
// id is the source's.
import { health, raftPeers } from "../../cluster/openBaoStatus";
import { refuseChangedKey } from "../keyProof";
import { Refused, type Step } from "../runStep";
import { unsealPod } from "../unsealing";
import { answeredStatus, observeWorld, until } from "../world";

export const unseal: Step = {
  id: "unseal-0",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.status0 === undefined)
      return { state: "refuse", hazard: "I3", why: `${ctx.input.release}-0 gives no answer` };
    if (!world.moved) {
      return {
        state: "refuse",
        hazard: "I2",
        why: `${ctx.input.release}-0: storage "${world.status0.storageType}", initialized ${world.status0.initialized}; expected an initialised Raft store`,
      };
    }
    const done = await ctx.journal.done("unseal-0");
    if (done !== undefined && !world.status0.sealed) return { state: "done", observed: done.observed };
    return { state: "todo", observed: { sealed: world.status0.sealed, threshold: world.status0.threshold } };
  },

  async act(ctx) {
    const status = await answeredStatus(ctx, `${ctx.input.release}-0`);
    if (!status.sealed) return;
    if (status.threshold !== 1) {
      throw new Refused(
        `the store needs ${status.threshold} key shares; one is held. Unseal ${ctx.input.release}-0 by hand with \`bao operator unseal\`, then run again [F24]`,
        "F24",
      );
    }
    await refuseChangedKey(ctx);
    await unsealPod(ctx, `${ctx.input.release}-0`);
  },

  async verify(ctx) {
    const pod = `${ctx.input.release}-0`;
    const bao = ctx.bao(pod);
    await until(`${pod} to be active`, ctx.input.podTimeoutSeconds, async () => {
      const code = await health(bao);
      return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
    });
    const { rootToken } = await ctx.keys();
    const [status, peers] = await Promise.all([answeredStatus(ctx, pod), raftPeers(bao, rootToken)]);
    const address = `${pod}.${ctx.input.release}-internal:8201`;
    const own = peers.find((peer) => peer.nodeId === pod);
    if (own === undefined || own.address !== address) {
      throw new Refused(
        `the Raft peer is ${own?.nodeId ?? "none"} at ${own?.address ?? "?"}, expected ${pod} at ${address}: followers could not reach it [I15]`,
        "I15",
      );
    }
    // A reseed makes another cluster on purpose.
    const inventoried = await ctx.journal.done("inventory-cutover");
    const before = ctx.input.path === "reseed" ? undefined : inventoried?.observed["clusterId"];
    if (typeof before === "string" && status.clusterId !== before) {
      throw new Refused(`the cluster id is ${status.clusterId}, the source's was ${before} [I28]`, "I28");
    }
    return { clusterId: status.clusterId, peers };
  },
};

export default unseal;
