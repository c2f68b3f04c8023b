// Before: openbao-0 runs on an empty Raft store; the snapshot lies on this machine, proved with the stored key.
// After: openbao-0 holds the snapshot's content, is unsealed with the STORED key and active. The key Secret was only
// read; the keys of the init in between were in this process's memory and are worth nothing any more (hazard H1).
import { moveClaim, readClaim, type InitClaim } from "../../cluster/initClaim";
import { initOnce } from "../../cluster/initOnce";
import { health, sealStatusIfUp, unseal as giveKey } from "../../cluster/openBaoStatus";
import { forceSnapshot } from "../../snapshot/snapshotTransfer";
import { emptyAgain, heldAsRefusal, isRefusal, observeEmptyStore } from "../emptyStore";
import { Refused, type Step, type StepContext } from "../runStep";
import { provedSnapshot } from "../snapshotFile";
import { unsealPod, WRONG_KEY } from "../unsealing";
import { answeredStatus, observeWorld, until } from "../world";

/** After a refused or lost call, so long until the store is taken for not restored. */
const DOUBT_SECONDS = 30;

export const restore: Step = {
  id: "restore",
  needsPause: true,

  async observe(ctx) {
    const done = await ctx.journal.done("restore");
    if (done !== undefined && (await observeWorld(ctx)).moved)
      return { state: "done", observed: done.observed };
    const seen = await observeEmptyStore(ctx);
    if (isRefusal(seen)) return seen;
    const { status, claim } = seen;
    // This program unseals only after it has noted the reply of its own init: whoever did so before is another.
    if (status.initialized && !status.sealed && claim?.state === "calling") {
      return {
        state: "refuse",
        hazard: "F57",
        why: `${ctx.input.release}-0 is initialised and unsealed as cluster ${status.clusterId}, and not by this program; find out which one did before anything is taken away`,
      };
    }
    return { state: "todo", observed: { initialized: status.initialized, claim: claim?.state ?? "none" } };
  },

  async act(ctx) {
    const { file, sha256 } = await chosen(ctx);
    await provedSnapshot(ctx, file, sha256);
    if (await opensWithStoredKey(ctx)) return;
    const bao = ctx.bao(pod0(ctx));
    if ((await answeredStatus(ctx, pod0(ctx))).initialized) await emptyAgain(ctx);
    const before = await ctx.kube.find(secretPath(ctx));
    const temporary = await heldAsRefusal(ctx, () =>
      initOnce({ kube: ctx.kube, namespace: ctx.input.namespace, fence: ctx.fence, pod: pod0(ctx), bao }),
    );
    await giveKey(bao, temporary.keys.unsealKey);
    await active(ctx);
    const { clusterId } = await answeredStatus(ctx, pod0(ctx));
    await moveClaim(ctx.kube, ctx.input.namespace, temporary.claim, {
      state: "initialised",
      ...(clusterId !== undefined && { clusterId }),
    });
    await assertSecretAsBefore(ctx, before?.metadata?.resourceVersion);
    await ctx.fence.assertHeld();
    ctx.log(`restoring ${file}`);
    await replaceStore(ctx, temporary.keys.rootToken, file, clusterId);
    if (!(await opensWithStoredKey(ctx))) {
      throw new Refused(
        "the stored key does not open the restored store, although it opens the snapshot; the old store and the snapshot are whole: run again [F29]",
        "F29",
      );
    }
  },

  async verify(ctx) {
    await active(ctx);
    const status = await answeredStatus(ctx, pod0(ctx));
    const claim = await readClaim(ctx.kube, ctx.input.namespace);
    // From here on clients write: never again is this store taken for an empty one.
    if (claim !== undefined && claim.state !== "kept")
      await moveClaim(ctx.kube, ctx.input.namespace, claim, { state: "kept" });
    const { file, sha256 } = await chosen(ctx);
    return { file, sha256, clusterId: status.clusterId };
  },
};

/** The snapshot of the stopped source, or the one at hand. */
async function chosen(ctx: StepContext): Promise<{ file: string; sha256: string }> {
  const step = ctx.input.path === "restore-file" ? "snapshot" : "final-snapshot";
  const { file, sha256 } = (await ctx.journal.done(step))?.observed ?? {};
  if (typeof file !== "string" || typeof sha256 !== "string")
    throw new Refused(`the journal names no snapshot of step ${step} [F28]`, "F28");
  return { file, sha256 };
}

/** Judged by state, never by the answer alone: 2.6.1 reports an error though it has restored (hazard I21). */
async function replaceStore(
  ctx: StepContext,
  token: string,
  file: string,
  temporaryCluster: string | undefined,
): Promise<void> {
  const bao = ctx.bao(pod0(ctx));
  let said: string;
  let answered = false;
  try {
    const status = await forceSnapshot(bao, token, file, ctx.input.copyTimeoutSeconds * 1000);
    answered = status >= 200 && status < 300;
    said = `HTTP ${status}`;
  } catch (error) {
    said = error instanceof Error ? error.message : String(error);
  }
  const { podTimeoutSeconds } = ctx.input;
  const bound = answered ? podTimeoutSeconds : Math.min(DOUBT_SECONDS, podTimeoutSeconds);
  await until(`${pod0(ctx)} to be restored (snapshot-force: ${said})`, bound, async () => {
    const status = await sealStatusIfUp(bao);
    if (status === undefined) return { seen: "no answer" };
    if (status.sealed) return { value: true };
    const other = status.clusterId !== undefined && status.clusterId !== temporaryCluster;
    return other ? { value: true } : { seen: "unsealed, still the temporary cluster" };
  });
}

/**
 * Gives the stored key to a sealed, initialised store. False when it is not initialised, when it is the temporary
 * cluster, or when the server calls the key wrong, which does no harm to a node that is no follower.
 * @throws KubeError with reason Timeout when the store stays sealed for another reason: a call that was lost proves no
 * other key, and what is taken away for it may be the restored store.
 */
async function opensWithStoredKey(ctx: StepContext): Promise<boolean> {
  const status = await answeredStatus(ctx, pod0(ctx));
  if (!status.initialized) return false;
  if (!status.sealed) return !isTemporary(await readClaim(ctx.kube, ctx.input.namespace), status.clusterId);
  try {
    await unsealPod(ctx, pod0(ctx));
    return true;
  } catch (error) {
    if (!(error instanceof Refused) || error.hazard !== WRONG_KEY) throw error;
    ctx.log(error.message);
    return false;
  }
}

/** The cluster that our own init made: its id is noted before anything is restored over it. */
function isTemporary(claim: InitClaim | undefined, clusterId: string | undefined): boolean {
  if (claim === undefined || claim.state === "kept") return false;
  return claim.clusterId === undefined || claim.clusterId === clusterId;
}

async function active(ctx: StepContext): Promise<void> {
  await until(`${pod0(ctx)} to be active`, ctx.input.podTimeoutSeconds, async () => {
    const code = await health(ctx.bao(pod0(ctx)));
    return code === 200 ? { value: true } : { seen: `sys/health ${code}` };
  });
}

/** A Job that saw an uninitialised server may have written new keys over the stored ones (hazards F26, I2). */
async function assertSecretAsBefore(ctx: StepContext, version: string | undefined): Promise<void> {
  const now = (await ctx.kube.find(secretPath(ctx)))?.metadata?.resourceVersion;
  if (now === version) return;
  throw new Refused(
    `Secret "${ctx.input.keySecret.name}" was changed while the store was empty; put back the key that opens the snapshot, suspend what wrote it, and run again [F26]`,
    "F26",
  );
}

function secretPath(ctx: StepContext): string {
  return `/api/v1/namespaces/${ctx.input.namespace}/secrets/${ctx.input.keySecret.name}`;
}

function pod0(ctx: StepContext): string {
  return `${ctx.input.release}-0`;
}

export default restore;
