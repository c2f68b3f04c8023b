// Before: no pod of the server exists; what was to be kept of it is kept.
// After: the volume's root holds no Raft store; an old one lies beside it, whole. File storage is not touched.
import { migrationEnv, strangeMark } from "../emptyStore";
import { MISSING_TOOL, refuseOnCode } from "../jobResult";
import { runJob } from "../nodeJob";
import { type Facts, type Step } from "../runStep";
import { oldRaftAsideJob } from "../stepJobs";
import { observeWorld } from "../world";

let facts: Facts = {};

export const setAside: Step = {
  id: "set-aside",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    const done = await ctx.journal.done("set-aside");
    if (done !== undefined) return { state: "done", observed: done.observed };
    if (world.moved) return { state: "done", observed: { note: "the data is in its new place already" } };
    if (world.pod0 !== undefined || (world.statefulSet.spec?.replicas ?? 0) > 0) {
      return {
        state: "refuse",
        hazard: "F22",
        why: `${ctx.input.release}-0 exists: its store is in use`,
      };
    }
    const unsaved = ctx.input.path === "restore" && (await ctx.journal.done("final-snapshot")) === undefined;
    if (unsaved)
      return { state: "refuse", hazard: "H2", why: "the journal names no snapshot of the stopped store" };
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const entries = await ctx.journal.entries();
    const node = entries.filter((e) => e.step === "stop" && e.beat === "act").at(-1)?.observed["node"];
    const env = await migrationEnv(ctx);
    const result = await runJob(
      ctx,
      oldRaftAsideJob(ctx.input, { env, node: typeof node === "string" ? node : undefined }),
    );
    refuseOnCode(result, {
      20: [
        "the volume holds a Raft store that was set aside at an earlier time, under .openbao-raft-migration/old-raft; move it to where you keep it, then run again",
        "F19",
      ],
      21: [strangeMark(env.MIGRATION), "F68"],
      29: MISSING_TOOL,
    });
    facts = result.facts;
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default setAside;
