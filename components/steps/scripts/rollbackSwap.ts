// Before: no pod of the server exists.
// After: the volume of openbao-0 shows the file storage alone, proved equal to what was carried over; Raft's files
// lie aside on the same volume, none is deleted.
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { removeJob, runJob } from "../nodeJob";
import { type Facts, type Step } from "../runStep";
import { serverPods } from "../serverPods";
import { asideName } from "../setAside";
import { observeWorld } from "../world";
import { isBack } from "./rollbackStop";

let facts: Facts = {};

export const rollbackSwap: Step = {
  id: "rollback-swap",
  needsPause: true,

  async observe(ctx) {
    const [world, pods] = await Promise.all([observeWorld(ctx), serverPods(ctx)]);
    if (await isBack(ctx, world)) return { state: "done", observed: { note: "it runs on file storage" } };
    if (pods.length > 0 || (world.statefulSet.spec?.replicas ?? 0) > 0) {
      return {
        state: "refuse",
        hazard: "F22",
        why: "a pod of the server exists, or may start: it would write to the files that are moved",
      };
    }
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const entries = await ctx.journal.entries();
    const node = entries
      .filter((entry) => ["stop", "rollback-stop"].includes(entry.step) && entry.beat === "act")
      .findLast((entry) => typeof entry.observed["node"] === "string")?.observed["node"];
    // A carry that a killed run left may still be at work on the same volume.
    await removeJob(ctx.kube, ctx.input.namespace, "openbao-raft-carry");
    const result = await runJob(ctx, {
      name: "openbao-raft-rollback",
      script: "setAside.sh",
      files: { aside: asideName(entries), role: "first" },
      timeoutSeconds: ctx.input.copyTimeoutSeconds,
      ...(typeof node === "string" && { node }),
    });
    refuseOnCode(result, {
      22: [
        "no core/_keyring was found at the root of the volume: there is no file storage to go back to",
        "I18",
      ],
      27: [
        "the file storage was written to after it was carried over to Raft, and Raft was, too: each holds what the other lacks. Nothing was moved: kubectl scale statefulset, to as many replicas as there were, starts the Raft nodes again; then look at the volume",
        "F68",
      ],
      29: MISSING_TOOL,
    });
    facts = result.facts;
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default rollbackSwap;
