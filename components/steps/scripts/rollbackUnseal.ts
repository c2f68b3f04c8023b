// Before: the standalone server is asked for, on the file storage.
// After: openbao-0 serves from it, unsealed with the stored key, under the cluster id that it had before the move.
import { health } from "../../cluster/openBaoStatus";
import { Refused, type Step } from "../runStep";
import { unsealPod } from "../unsealing";
import { answeredStatus, observeWorld, until, waitForPod } from "../world";

export const rollbackUnseal: Step = {
  id: "rollback-unseal",
  needsPause: true,

  async observe(ctx) {
    const { status0, pod0, moved } = await observeWorld(ctx);
    if (status0?.storageType === "file" && status0.initialized && !status0.sealed) {
      return { state: "done", observed: { clusterId: status0.clusterId } };
    }
    if (moved) {
      return {
        state: "refuse",
        hazard: "I2",
        why: `${ctx.input.release}-0 runs on Raft, expected file storage; step rollback-values comes first`,
      };
    }
    return { state: "todo", observed: { phase: pod0?.status?.phase ?? "absent", sealed: status0?.sealed } };
  },

  async act(ctx) {
    const pod = `${ctx.input.release}-0`;
    await waitForPod(ctx, pod);
    const status = await answeredStatus(ctx, pod);
    if (status.storageType !== "file" || !status.initialized) {
      // Never init here: a key Secret exists, and new keys over it would lose the store (platform#1982).
      throw new Refused(
        `${pod}: storage "${status.storageType}", initialized ${status.initialized}; expected the file storage with its data. It is not initialised over your data: scale to 0 and look at the volume [I2]`,
        "I2",
      );
    }
    if (!status.sealed) return;
    if (status.threshold !== 1) {
      throw new Refused(
        `the store needs ${status.threshold} key shares; one is held. Unseal ${pod} by hand with \`bao operator unseal\`, then run again [F24]`,
        "F24",
      );
    }
    await unsealPod(ctx, pod);
  },

  async verify(ctx) {
    const pod = `${ctx.input.release}-0`;
    const bao = ctx.bao(pod);
    await until(`${pod} to be active`, ctx.input.podTimeoutSeconds, async () => {
      const code = await health(bao);
      return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
    });
    const status = await answeredStatus(ctx, pod);
    const before = (await ctx.journal.done("inventory-cutover"))?.observed["clusterId"];
    if (typeof before === "string" && status.clusterId !== before) {
      throw new Refused(`the cluster id is ${status.clusterId}, the source's was ${before} [I28]`, "I28");
    }
    return { storageType: status.storageType, clusterId: status.clusterId };
  },
};

export default rollbackUnseal;
