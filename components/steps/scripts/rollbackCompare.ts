// Before: openbao-0 serves from the file storage.
// After: the journal says what of the cutover's inventory is there, and how much of Raft's is not. It stops nothing: the
// file storage is what it was at the stop, by manifest, and there is no better store to go to.
import { compareInventory } from "../../inventory/compareInventory";
import { loadInventory } from "../../inventory/inventoryStore";
import { factsOf, takeFrom } from "../inventorySteps";
import { rollbackState } from "../rollbackState";
import { type Facts, type Step } from "../runStep";

let facts: Facts = {};

export const rollbackCompare: Step = {
  id: "rollback-compare",

  async observe(ctx) {
    const done = await ctx.journal.done("rollback-compare");
    if (done !== undefined) return { state: "done", observed: done.observed };
    // An inventory of an earlier try may still be stored: only the journal tells that this one has taken its own.
    return (await ctx.journal.done("inventory-cutover")) === undefined
      ? { state: "done", observed: { note: "no inventory was taken; the server had not been stopped" } }
      : { state: "todo", observed: {} };
  },

  async act(ctx) {
    const { namespace, release, volatile } = ctx.input;
    const [before, onRaft] = await Promise.all([
      loadInventory(ctx.kube, namespace, "cutover"),
      countedOnRaft(ctx.journal).then((counted) =>
        counted ? loadInventory(ctx.kube, namespace, "rollback") : undefined,
      ),
    ]);
    if (before === undefined) throw new Error('no inventory "cutover" is stored; nothing to compare with');
    const now = await takeFrom(ctx, `${release}-0`);
    const comparison = compareInventory(before, now, { volatile });
    const left = onRaft && compareInventory(onRaft, now, { volatile: [] });
    const { fileDataAsOf } = rollbackState(await ctx.journal.entries());
    facts = {
      ...factsOf(comparison),
      fileDataAsOf,
      ...(left && { leftBehind: { entries: left.lost.length, newerVersions: left.regressed.length } }),
    };
    ctx.log(
      `the content is as of ${fileDataAsOf ?? "an unknown time"}; writes on Raft since then are not in it`,
    );
    const missing = comparison.lost.length + comparison.regressed.length;
    if (missing > 0) {
      ctx.log(
        `${missing} entries of the inventory are absent or older; a client can have removed them before the stop. Look at the journal's counts [F23]`,
      );
    }
  },

  verify() {
    return Promise.resolve(facts);
  },
};

/** False where Raft gave no answer at the start of this rollback: a stored inventory would be an earlier one's. */
async function countedOnRaft(journal: {
  done(step: string): Promise<{ observed: Facts } | undefined>;
}): Promise<boolean> {
  return typeof (await journal.done("rollback-inventory"))?.observed["entries"] === "number";
}

export default rollbackCompare;
