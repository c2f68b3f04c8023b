// Before: no pod of the server exists; its volume holds the file storage.
// After: the volume also holds a Raft store, proved equal by manifest before any server has opened it.
import { DEFAULT_MAX_ENTRY_BYTES, largestFile, limitTooLow, maxEntryBytes } from "../entrySize";
import { MISSING_TOOL, refuseOnCode, type JobResult } from "../jobResult";
import { runJob } from "../nodeJob";
import { Refused, type Facts, type Step, type StepContext } from "../runStep";
import { carryJob, MEMORY_LIMIT_BYTES } from "../stepJobs";
import { observeWorld } from "../world";

/** Exit code of the Job where the file storage is as it was carried over, and a server has run on the Raft store. */
export const LIVE_COPY = 26;

const CARRY_REFUSALS: Readonly<Record<number, [text: string, hazard: string]>> = {
  20: ["the volume holds Raft state that this program did not make; look at it before anything else", "F19"],
  21: ["the file storage has zero-byte or .temp entries, which migrate drops without a word", "F20"],
  22: ["no core/_keyring was found at the root of the volume", "I18"],
  23: [
    "a migration lock lies in the file storage: an earlier `bao operator migrate` was killed; clear it with -reset",
    "F17",
  ],
  25: [
    "the file storage was written to after it was carried over, and a server has run on the Raft store, too: each may hold what the other lacks. Look at both before anything else",
    "F68",
  ],
  [LIVE_COPY]: ["a server has run on the carried Raft store; it is not carried again", "F68"],
  29: MISSING_TOOL,
};

let facts: Facts = {};

export const carry: Step = {
  id: "carry",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved) return { state: "done", observed: { note: "the data is on Raft already" } };
    if (world.pod0 !== undefined || (world.statefulSet.spec?.replicas ?? 0) > 0) {
      const serves = world.status0?.storageType === "file";
      if (!serves && world.flipped && (await ctx.journal.done("carry")) !== undefined) {
        return { state: "done", observed: { note: "carried; the pod on Raft is starting" } };
      }
      return {
        state: "refuse",
        hazard: "F22",
        why: `${ctx.input.release}-0 exists: a running server writes to the source. Stop it with kubectl -n ${ctx.input.namespace} scale statefulset ${ctx.input.release} --replicas=0, and run again: what it has taken goes over, too`,
      };
    }
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const result = await carryOver(ctx);
    refuseWhereNotCarried(result);
    facts = result.facts;
  },

  verify() {
    return Promise.resolve(facts);
  },
};

/**
 * Runs the Job: a copy that is there and whole is taken as it is, one of an older file storage is made anew. Its facts have
 * the StatefulSet's generation of before, by which a later step sees whether the server was started since.
 */
export async function carryOver(ctx: StepContext): Promise<JobResult> {
  const { generation } = (await observeWorld(ctx)).statefulSet.metadata ?? {};
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
  return generation === undefined ? result : { ...result, facts: { ...result.facts, generation } };
}

/** @throws Refused where the Job refused, or has proved nothing; Error when it failed */
export function refuseWhereNotCarried(result: JobResult): void {
  refuseOnCode(result, CARRY_REFUSALS);
  if (Number(result.facts["entries"]) > 0) return;
  throw new Refused(
    "no entry was proved to be on Raft: the proof is of nothing. Look at the volume [I18]",
    "I18",
  );
}

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
