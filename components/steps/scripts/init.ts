// Before: openbao-0 runs on an empty Raft store; the old store lies beside it.
// After: it was initialised once, the new keys are in the key Secret and nowhere else, the old ones in an immutable
// Secret of their own; the server is unsealed and active.
import { moveClaim, readClaim } from "../../cluster/initClaim";
import { initOnce } from "../../cluster/initOnce";
import { NoKey, readKeySecret } from "../../cluster/keySecret";
import { escrowName, provenSink, SinkTaken, vacate } from "../../cluster/keySink";
import { health, unexpected } from "../../cluster/openBaoStatus";
import { byHand, heldAsRefusal, isRefusal, observeEmptyStore } from "../emptyStore";
import { Refused, type Step, type StepContext } from "../runStep";
import { unsealPod, WRONG_KEY } from "../unsealing";
import { answeredStatus, observeWorld, until } from "../world";

export const init: Step = {
  id: "init",
  needsPause: true,

  async observe(ctx) {
    const done = await ctx.journal.done("init");
    if (done !== undefined && (await observeWorld(ctx)).moved)
      return { state: "done", observed: done.observed };
    const seen = await observeEmptyStore(ctx);
    if (isRefusal(seen)) return seen;
    const { status } = seen;
    return { state: "todo", observed: { initialized: status.initialized } };
  },

  async act(ctx) {
    const pod = `${ctx.input.release}-0`;
    const bao = ctx.bao(pod);
    const { kube } = ctx;
    const { namespace } = ctx.input;
    const status = await answeredStatus(ctx, pod);
    if (status.initialized && !(await keyIsHeld(ctx, status.sealed))) throw keysLost(ctx);
    if (!status.initialized) {
      await ctx.fence.assertHeld();
      const store = await taken(() => vacateAndProve(ctx));
      await heldAsRefusal(ctx, () =>
        initOnce({ kube, namespace, fence: ctx.fence, pod, bao }, (keys) => taken(() => store(keys))),
      );
    }
    if ((await answeredStatus(ctx, pod)).sealed) await unsealPod(ctx, pod);
  },

  async verify(ctx) {
    const bao = ctx.bao(`${ctx.input.release}-0`);
    await until(`${ctx.input.release}-0 to be active`, ctx.input.podTimeoutSeconds, async () => {
      const code = await health(bao);
      return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
    });
    const { rootToken } = await readKeySecret(ctx.kube, ctx.input.namespace, ctx.input.keySecret);
    const reply = await bao.request("GET", "/v1/auth/token/lookup-self", { token: rootToken });
    if (reply.status !== 200)
      throw new Refused(`the stored token is not known to the new store (HTTP ${reply.status}) [F15]`, "F15");
    const claim = await readClaim(ctx.kube, ctx.input.namespace);
    if (claim !== undefined && claim.state !== "kept")
      await moveClaim(ctx.kube, ctx.input.namespace, claim, { state: "kept" });
    const { clusterId } = await answeredStatus(ctx, `${ctx.input.release}-0`);
    return { clusterId, keys: ctx.input.keySecret.name, oldKeys: escrowName(ctx.input.keySecret) };
  },
};

/** A second init is never the answer (hazard F15). */
function keysLost(ctx: StepContext): Refused {
  const { name } = ctx.input.keySecret;
  return new Refused(
    `${ctx.input.release}-0 is initialised, and its keys are not in Secret "${name}": the reply of the init call was lost, or they are in a Secret "${name}-init-...". If such a Secret is there, put its keys into "${name}". Else the store is empty and shut for ever: ${byHand(ctx)}; then run again [F15]`,
    "F15",
  );
}

async function vacateAndProve(ctx: StepContext) {
  const { namespace, keySecret } = ctx.input;
  await vacate(ctx.kube, namespace, keySecret);
  return provenSink(ctx.kube, namespace, keySecret);
}

/**
 * True when the key Secret opens the store, or its token is known to the unsealed one. False only when the Secret holds
 * no key, or the server itself calls the key wrong or the token unknown: whatever else fails is no answer, and must send
 * nobody to take a store away whose key is held (hazard F15).
 */
async function keyIsHeld(ctx: StepContext, sealed: boolean): Promise<boolean> {
  const pod = `${ctx.input.release}-0`;
  const bao = ctx.bao(pod);
  try {
    const { rootToken } = await ctx.keys();
    if (sealed) await unsealPod(ctx, pod);
    await until("the store to be active", ctx.input.podTimeoutSeconds, async () => {
      const code = await health(bao);
      return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
    });
    const reply = await bao.request("GET", "/v1/auth/token/lookup-self", { token: rootToken });
    if (reply.status === 200 || reply.status === 403) return reply.status === 200;
    throw unexpected(bao, "the stored token", reply);
  } catch (error) {
    if (!(error instanceof NoKey) && !(error instanceof Refused && error.hazard === WRONG_KEY)) throw error;
    ctx.log(error.message);
    return false;
  }
}

async function taken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SinkTaken) throw new Refused(`${error.message} [F26]`, "F26");
    throw error;
  }
}

export default init;
