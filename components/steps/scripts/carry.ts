// Before: no pod of the server exists; its volume holds the file storage.
// After: the volume also holds a Raft store, proved equal by manifest before any server has opened it.
import { DEFAULT_MAX_ENTRY_BYTES, largestFile, limitTooLow, maxEntryBytes } from "../entrySize";
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { runJob } from "../nodeJob";
import { Refused, type Facts, type Step } from "../runStep";
import { carryJob } from "../stepJobs";
import { observeWorld } from "../world";

/** Above this the work folder goes to the node's disk: forth and back need about three times the source. */
const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;

let facts: Facts = {};

export const carry: Step = {
  id: "carry",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved) return { state: "done", observed: { note: "the data is on Raft already" } };
    if (world.pod0 !== undefined || (world.statefulSet.spec?.replicas ?? 0) > 0) {
      if ((await ctx.journal.done("carry")) !== undefined && world.flipped) {
        return { state: "done", observed: { note: "carried; the pod on Raft is starting" } };
      }
      return {
        state: "refuse",
        hazard: "F22",
        why: `${ctx.input.release}-0 exists: a running server writes to the source`,
      };
    }
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const [stopped, copied] = await Promise.all([ctx.journal.entries(), ctx.journal.done("file-copy")]);
    const node = stopped.filter((e) => e.step === "stop" && e.beat === "act").at(-1)?.observed["node"];
    const bytes = Number(copied?.observed["bytes"] ?? 0);
    const needed = maxEntryBytes(largestFile(stopped));
    const planned = ctx.input.maxEntryBytes ?? DEFAULT_MAX_ENTRY_BYTES;
    if (needed > planned) {
      throw new Refused(`${limitTooLow(needed, planned)} [I13]`, "I13");
    }
    const result = await runJob(
      ctx,
      carryJob(ctx.input, {
        files: migrateConfigs(ctx.input.release, planned),
        memory: bytes > 0 && bytes < MEMORY_LIMIT_BYTES,
        node: typeof node === "string" ? node : undefined,
      }),
    );
    refuseOnCode(result, {
      20: [
        "the volume holds Raft state that this program did not make; look at it before anything else",
        "F19",
      ],
      21: ["the file storage has zero-byte or .temp entries, which migrate drops without a word", "F20"],
      22: ["no core/_keyring was found at the root of the volume", "I18"],
      23: [
        "a migration lock lies in the file storage: an earlier `bao operator migrate` was killed; clear it with -reset",
        "F17",
      ],
      25: ["the file storage has changed since it was carried over", "F68"],
      26: ["a server has run on the carried Raft store; it is not carried again", "F68"],
      29: MISSING_TOOL,
    });
    if (!(Number(result.facts["entries"]) > 0)) {
      throw new Refused(
        "no entry was proved to be on Raft: the proof is of nothing. Look at the volume [I18]",
        "I18",
      );
    }
    facts = result.facts;
  },

  verify() {
    return Promise.resolve(facts);
  },
};

/** Pure: the two configs of `bao operator migrate`, forth to Raft and back to files for the proof. */
export function migrateConfigs(release: string, maxEntry: number): Record<string, string> {
  const raft = (kind: string) => `storage_${kind} "raft" {
  path = "/scratch/raft"
  node_id = "${release}-0"
  performance_multiplier = "1"
  max_entry_size = "${maxEntry}"
}
`;
  const file = (kind: string, path: string) => `storage_${kind} "file" {
  path = "${path}"
}
`;
  const address = `cluster_addr = "https://${release}-0.${release}-internal:8201"\n`;
  return {
    "forth.hcl": file("source", "/scratch/view") + raft("destination") + address,
    "back.hcl": raft("source") + file("destination", "/scratch/back") + address,
  };
}

export default carry;
