// Before: the file storage lies on the volume of openbao-0; the server may run.
// After: a checked copy lies beside it, and the journal holds its manifest's digest, counts and sizes.
import { observeWorld } from "../world";
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { runJob } from "../nodeJob";
import { Refused, type Facts, type Step } from "../runStep";
import { fileCopyJob } from "../stepJobs";

let facts: Facts = {};

export const fileCopy: Step = {
  id: "file-copy",

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const done = await ctx.journal.done("file-copy");
    if (done !== undefined) return { state: "done", observed: done.observed };
    if (world.moved) return { state: "done", observed: { note: "the data is on Raft already" } };
    if (world.status0?.storageType !== "file") {
      return {
        state: "refuse",
        hazard: "H2",
        why: `${ctx.input.release}-0 gives storage type "${world.status0?.storageType ?? "no answer"}", expected "file"`,
      };
    }
    return { state: "todo", observed: { node: world.pod0?.spec?.nodeName } };
  },

  async act(ctx) {
    const world = await observeWorld(ctx);
    const node = world.pod0?.spec?.nodeName;
    const result = await runJob(ctx, fileCopyJob(ctx.input, node));
    refuseOnCode(result, {
      22: ["no core/_keyring was found: the volume does not hold the file storage at its root", "I17"],
      23: ["the copy's manifest does not hold core/_keyring: it would prove nothing", "I18"],
      24: ["the volume is too small for the copy and the Raft store; enlarge it", "F33"],
      29: MISSING_TOOL,
      25: [
        "the file storage has entries or folders that the server's user cannot read: the copy lacks them, and migrate would stop at them while the server is down. Look at their owner and at the disk, then run again",
        "F20",
      ],
    });
    facts = result.facts;
    if (!(Number(facts["entries"]) > 0)) {
      throw new Refused(
        "the copy holds no entry: it is none of this file storage. Look at the volume [I18]",
        "I18",
      );
    }
    const damaged = Number(facts["zeroByte"]) + Number(facts["temp"]);
    if (damaged > 0) {
      throw new Refused(
        `the file storage has ${facts["zeroByte"]} zero-byte and ${facts["temp"]} .temp entries; migrate would drop them without a word: look at them before going on [F20]`,
        "F20",
      );
    }
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default fileCopy;
