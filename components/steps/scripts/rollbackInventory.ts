// Before: the Raft nodes may serve, or be broken: a rollback must not depend on them.
// After: where they serve, the inventory "rollback" tells what the way back leaves behind.
import { saveInventory } from "../../inventory/inventoryStore";
import { takeFrom } from "../inventorySteps";
import { type Facts, type Step } from "../runStep";
import { activePod, observeWorld, podNames } from "../world";

let facts: Facts = {};

export const rollbackInventory: Step = {
  id: "rollback-inventory",

  async observe(ctx) {
    const done = await ctx.journal.done("rollback-inventory");
    if (done !== undefined) return { state: "done", observed: done.observed };
    const { moved } = await observeWorld(ctx);
    return moved
      ? { state: "todo", observed: {} }
      : { state: "done", observed: { note: "no server answers from Raft" } };
  },

  async act(ctx) {
    const { statefulSet } = await observeWorld(ctx);
    try {
      const leader = await activePod(ctx, podNames(statefulSet));
      if (leader === undefined) throw new Error("no active node answers");
      const inventory = await takeFrom(ctx, leader);
      await ctx.fence.assertHeld();
      await saveInventory(ctx.kube, ctx.input.namespace, "rollback", inventory);
      facts = { entries: inventory.entries.length };
    } catch (error) {
      await ctx.fence.assertHeld();
      facts = {
        note: `what is left behind is not counted: ${error instanceof Error ? error.message : String(error)}`,
      };
      ctx.log(String(facts["note"]));
    }
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default rollbackInventory;
