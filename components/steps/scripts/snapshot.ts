// Before: the source runs on Raft, unsealed; or a snapshot lies at hand.
// After: the snapshot's file is whole, the stored key is proved to open it, and the journal has its digest.
import { existsSync } from "node:fs";
import { saveSnapshot } from "../../snapshot/snapshotTransfer";
import { raftPeers } from "../../cluster/openBaoStatus";
import { type Facts, type Step, type StepContext } from "../runStep";
import { provedSnapshot, refuseOld, refuseUnwritable, snapshotFacts, snapshotPath } from "../snapshotFile";
import { observeWorld } from "../world";

let facts: Facts = {};

export const snapshot: Step = {
  id: "snapshot",

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const done = await ctx.journal.done("snapshot");
    if (done !== undefined && (world.moved || existsSync(snapshotPath(ctx)))) {
      return { state: "done", observed: done.observed };
    }
    if (world.moved) return { state: "done", observed: { note: "the data is in its new place already" } };
    const { status0 } = world;
    const atHand = ctx.input.path === "restore-file";
    if (!atHand && (status0?.storageType !== "raft" || status0.sealed)) {
      return {
        state: "refuse",
        hazard: "H2",
        why: `${ctx.input.release}-0 gives storage type "${status0?.storageType ?? "no answer"}"${status0?.sealed === true ? ", sealed" : ""}; a snapshot needs an unsealed server on Raft`,
      };
    }
    return { state: "todo", observed: { file: snapshotPath(ctx), from: ctx.input.snapshot?.from } };
  },

  async act(ctx) {
    const file = snapshotPath(ctx);
    const atHand = ctx.input.path === "restore-file";
    // One that is there may be from a run that died before it wrote the journal: it is judged like any other.
    if (!atHand && !existsSync(file)) await take(ctx, file);
    const read = await provedSnapshot(ctx, file);
    await refuseOld(ctx, file, read);
    facts = { ...snapshotFacts(file, read), ...(!atHand && (await peerOf(ctx))) };
  },

  verify() {
    return Promise.resolve(facts);
  },
};

async function take(ctx: StepContext, file: string): Promise<void> {
  await refuseUnwritable(file);
  const { rootToken } = await ctx.keys();
  ctx.log("taking a snapshot of the active node");
  await saveSnapshot(ctx.bao(`${ctx.input.release}-0`), rootToken, file, ctx.input.copyTimeoutSeconds * 1000);
}

/** Id and address of the one Raft node: a copy of its store only wakes under the same id. */
async function peerOf(ctx: StepContext): Promise<Facts> {
  const { rootToken } = await ctx.keys();
  const peers = await raftPeers(ctx.bao(`${ctx.input.release}-0`), rootToken);
  return { nodeId: peers[0]?.nodeId, address: peers[0]?.address, peers: peers.length };
}

export default snapshot;
