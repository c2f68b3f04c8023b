// Before: the move has landed, all nodes are voters, and the config names the volume that keeps the file storage.
// After: the file storage and its copy are gone from that volume; Raft's own files are as they were.
import { raftPeers, sealStatusIfUp } from "../../cluster/openBaoStatus";
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { runJob } from "../nodeJob";
import { type Facts, type Observation, type Step, type StepContext } from "../runStep";
import { leaderPod, observeWorld, podNames } from "../world";

let facts: Facts = {};

export const cleanupFileData: Step = {
  id: "cleanup-file-data",

  async observe(ctx) {
    const claim = `data-${ctx.input.release}-0`;
    if (ctx.input.cleanup?.fileData !== claim) {
      return refuse(
        "F38",
        `the config names ${ctx.input.cleanup?.fileData ?? "no volume"}, expected ${claim}`,
      );
    }
    const done = await ctx.journal.done("cleanup-file-data");
    if (done !== undefined) return { state: "done", observed: done.observed };
    const [landed, compared] = await Promise.all([
      ctx.journal.done("resume"),
      ctx.journal.done("compare-verify"),
    ]);
    if (landed === undefined) return refuse("F38", "the journal does not say that the move has landed");
    if (compared?.observed["lost"] !== 0 || compared.observed["regressed"] !== 0) {
      return refuse("F38", "the journal holds no comparison of stage verify without a lost or older entry");
    }
    const missing = await missingNodes(ctx);
    return missing === undefined
      ? { state: "todo", observed: { claim } }
      : refuse("F43", `${missing}; the file storage stays until all nodes are well`);
  },

  async act(ctx) {
    const { pod0 } = await observeWorld(ctx);
    const node = pod0?.spec?.nodeName;
    const result = await runJob(ctx, {
      name: "openbao-raft-cleanup",
      script: "cleanup.sh",
      timeoutSeconds: ctx.input.copyTimeoutSeconds,
      ...(node !== undefined && { node }),
    });
    refuseOnCode(result, {
      28: ["the volume holds no Raft store beside the file storage; nothing was removed", "F38"],
      29: ["the volume holds no manifest of what was carried over; nothing was removed", "F38"],
      27: MISSING_TOOL,
    });
    facts = result.facts;
  },

  verify() {
    return Promise.resolve(facts);
  },
};

function refuse(hazard: string, why: string): Observation {
  return { state: "refuse", hazard, why };
}

/** What keeps the Raft cluster from being whole, or undefined. */
async function missingNodes(ctx: StepContext): Promise<string | undefined> {
  const pods = podNames((await observeWorld(ctx)).statefulSet);
  const { replicas } = ctx.input;
  if (pods.length !== replicas) return `${pods.length} replicas are asked for, expected ${replicas}`;
  const leader = await leaderPod(ctx, pods);
  if (leader === undefined) return "no node says that it is the active one";
  const peers = await raftPeers(ctx.bao(leader), (await ctx.keys()).rootToken);
  const voters = peers.filter((peer) => peer.voter).length;
  if (voters !== replicas) return `${voters} voters, expected ${replicas}`;
  for (const pod of pods) {
    const status = await sealStatusIfUp(ctx.bao(pod));
    if (status?.storageType !== "raft" || status.sealed) return `${pod} is not unsealed on Raft`;
  }
  return undefined;
}

export default cleanupFileData;
