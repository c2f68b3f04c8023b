// Before: an inventory of the source is stored.
// After: every entry of it is one that a named Job makes anew, or one that the config gives up by name.
import { coverage } from "../../inventory/coverage";
import { loadInventory } from "../../inventory/inventoryStore";
import { Refused, type Facts, type Step } from "../runStep";
import { observeWorld } from "../world";

let facts: Facts = {};

export const reseedCheck: Step = {
  id: "reseed-check",

  async observe(ctx) {
    const done = await ctx.journal.done(ctx.input.step);
    // Before the stop it is judged each time: the config may name other paths now.
    const { moved, pod0 } = await observeWorld(ctx);
    if (done !== undefined && (moved || pod0 === undefined))
      return { state: "done", observed: done.observed };
    if (moved) return { state: "done", observed: { note: "the new store is in use already" } };
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const label = ctx.input.step === "reseed-check-backup" ? "backup" : "cutover";
    const inventory = await loadInventory(ctx.kube, ctx.input.namespace, label);
    if (inventory === undefined) throw new Refused(`no inventory "${label}" is stored [I48]`, "I48");
    const { jobs = [], discard = [] } = ctx.input.reseed ?? {};
    const seen = coverage(
      inventory.entries,
      jobs.flatMap((job) => job.rebuilds),
      discard,
    );
    if (seen.uncovered.length > 0) {
      const shown = seen.uncovered.slice(0, 12).map((one) => `${one.mount} (${one.kind}, ${one.entries})`);
      const more = seen.uncovered.length > 12 ? ` and ${seen.uncovered.length - 12} more` : "";
      throw new Refused(
        `a reseed would lose what nothing makes anew: ${shown.join(", ")}${more}. Name the paths under "rebuilds" of the Job that does, or give them up by name in openbao-migration:reseed.discard [I48]`,
        "I48",
      );
    }
    facts = { rebuilt: seen.rebuilt, discarded: seen.discarded, uncovered: 0 };
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default reseedCheck;
