// Before: the source runs on Raft, unsealed; or a snapshot lies at hand.
// After: the snapshot's file is whole, the stored key is proved to open it, and the journal has its digest.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { saveSnapshot } from "../../snapshot/snapshotTransfer";
import { raftPeers } from "../../cluster/openBaoStatus";
import { type Facts, type Step, type StepContext } from "../runStep";
import { provedSnapshot, refuseOld, refuseUnwritable, snapshotFacts, snapshotPath } from "../snapshotFile";
import { observeWorld } from "../world";

/** A file system may round the time of a file down. */
const FILE_CLOCK_MS = 2_000;

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
    const file = snapshotPath(ctx);
    const observed = { file, from: ctx.input.snapshot?.from };
    if (atHand || !existsSync(file)) return { state: "todo", observed };
    const sha256 = await digestOf(file);
    if (await isOwn(ctx, file, sha256)) return { state: "todo", observed: { ...observed, sha256 } };
    return {
      state: "refuse",
      hazard: "F30",
      why: `"${file}" lies there already, and not by this migration as far as the journal tells: what was written since would be in no backup. Move it away, or name another openbao-migration:snapshot.file, then run again`,
    };
  },

  async act(ctx) {
    const file = snapshotPath(ctx);
    const atHand = ctx.input.path === "restore-file";
    // One that is there is from a run that died before it wrote the journal: it is judged like any other.
    if (!atHand && !existsSync(file)) await take(ctx, file);
    const read = await provedSnapshot(ctx, file);
    await refuseOld(ctx, file, read);
    facts = { ...snapshotFacts(file, read), ...(!atHand && (await peerOf(ctx))) };
  },

  verify() {
    return Promise.resolve(facts);
  },
};

/**
 * True when an earlier run of this step wrote the file and died before it could say so: the file is younger than that
 * run's note that it acts, or is one that such a run has found to be so. Both times are this machine's.
 */
async function isOwn(ctx: StepContext, file: string, sha256: string): Promise<boolean> {
  const acts = (await ctx.journal.entries()).filter((one) => one.step === "snapshot" && one.beat === "act");
  if (acts.some((one) => one.observed["sha256"] === sha256)) return true;
  const last = acts.at(-1);
  if (last === undefined) return false;
  return (await stat(file)).mtimeMs + FILE_CLOCK_MS >= Date.parse(last.time);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

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
