import { compareInventory, type Comparison } from "../inventory/compareInventory";
import { takeInventory, type Inventory } from "../inventory/inventory";
import { inventoryKey, loadInventory, saveInventory } from "../inventory/inventoryStore";
import { COMPARED_WITH } from "./carryPath";
import { Refused, type Facts, type Step, type StepContext } from "./runStep";
import { activePod, answeredStatus, observeWorld, podNames } from "./world";

/**
 * A step that stores an inventory under `label`, once: of the source before it moves, or of what a restore or a
 * reseed has brought.
 */
export function inventoryStep(id: string, label: string, of: "source" | "moved" = "source"): Step {
  return {
    id,

    async observe(ctx) {
      const done = await ctx.journal.done(id);
      if (done !== undefined) return { state: "done", observed: done.observed };
      const { moved, status0 } = await observeWorld(ctx);
      // A later inventory would compare the moved store with itself.
      if (moved && of === "source")
        return {
          state: "done",
          observed: { note: "the data is on Raft already; the inventory stays as it was" },
        };
      const wrongStorage = ctx.input.path === undefined && status0?.storageType !== "file";
      if (status0 === undefined || wrongStorage || status0.sealed || (of === "moved" && !moved)) {
        const seen =
          status0 === undefined ? "no answer" : `storage "${status0.storageType}", sealed ${status0.sealed}`;
        return {
          state: "refuse",
          hazard: "H2",
          why: `${ctx.input.release}-0: ${seen}; expected an unsealed server${ctx.input.path === undefined ? " on file storage" : ""}`,
        };
      }
      return { state: "todo", observed: { clusterId: status0.clusterId, version: status0.version } };
    },

    async act(ctx) {
      const inventory = await takeFrom(ctx, `${ctx.input.release}-0`);
      for (const line of notComparedLines(inventory.notCompared)) ctx.log(line);
      await ctx.fence.assertHeld();
      await saveInventory(ctx.kube, ctx.input.namespace, label, inventory);
    },

    async verify(ctx) {
      const stored = await loadInventory(ctx.kube, ctx.input.namespace, label);
      if (stored === undefined) throw new Error(`the inventory "${label}" was not found after it was stored`);
      const status = await answeredStatus(ctx, `${ctx.input.release}-0`);
      return { entries: stored.entries.length, clusterId: status.clusterId, version: status.version };
    },
  };
}

/** A step that compares the live content with the inventory of the cutover. It changes nothing but the journal. */
export function compareStep(id: string): Step {
  let facts: Facts = {};
  return {
    id,

    async observe(ctx) {
      const done = await ctx.journal.done(id);
      if (done !== undefined) return { state: "done", observed: done.observed };
      return { state: "todo", observed: {} };
    },

    async act(ctx) {
      const label = COMPARED_WITH[ctx.input.path ?? "migrate"];
      const before = await loadInventory(ctx.kube, ctx.input.namespace, label);
      if (before === undefined) {
        throw new Refused(
          `no inventory "${label}" is stored in "${ctx.input.namespace}"; nothing to compare with [F23]`,
          "F23",
        );
      }
      const { statefulSet } = await observeWorld(ctx);
      const leader = await activePod(ctx, podNames(statefulSet));
      if (leader === undefined)
        throw new Error("no pod says that it is the active node; look at `bao status` of each");
      const after = await takeFrom(ctx, leader);
      const comparison = compareInventory(before, after, { volatile: ctx.input.volatile });
      facts = factsOf(comparison);
      const { entries, mounts } = comparison.notCompared;
      const left = notComparedLines(mounts, entries.length);
      for (const line of [...differenceLines(comparison), ...left]) ctx.log(line);
      assertKept(comparison);
    },

    verify() {
      return Promise.resolve(facts);
    },
  };
}

/** @throws Refused when an entry is lost or older than before; the rollback is open until stage land. */
function assertKept(comparison: Comparison): void {
  if (comparison.lost.length + comparison.regressed.length === 0) return;
  throw new Refused(
    `${comparison.lost.length} entries are lost and ${comparison.regressed.length} are older than in the inventory; expected none (${JSON.stringify(factsOf(comparison))}). Stop here: the old store is untouched [F23]`,
    "F23",
  );
}

/** The inventory of one pod, under the digest key of this migration. */
export async function takeFrom(ctx: StepContext, pod: string): Promise<Inventory> {
  const key = await inventoryKey(ctx.kube, ctx.input.namespace);
  const { rootToken } = await ctx.keys();
  let shown = 0;
  return takeInventory(ctx.bao(pod), rootToken, {
    hmacKey: key,
    progress: (done) => {
      if (done - shown < 1000) return;
      shown = done;
      ctx.log(`${done} entries read`);
    },
  });
}

/** The first ten that are not equal, without their names: a name may be a secret of its own. */
function differenceLines(comparison: Comparison): string[] {
  const { lost, regressed, changed, added } = comparison;
  return Object.entries({ lost, regressed, changed, added }).flatMap(([what, differences]) =>
    differences.slice(0, 10).map(({ id, kind, why }) => `${what}: ${kind} entry ${id}: ${why}`),
  );
}

/** What is not compared, by its number and by the types of the mounts: a path may be a secret of its own. */
function notComparedLines(mounts: readonly string[], unreadable = 0): string[] {
  const inMounts = `what lies in ${mounts.length} mount(s) (${typesOf(mounts)}), for which there is no reader here`;
  return [
    ...(mounts.length === 0 ? [] : [`not compared: ${inMounts}; look into them yourself`]),
    ...(unreadable === 0 ? [] : [`not compared: ${unreadable} entries, unreadable before and after`]),
  ];
}

/** Each stands in brackets behind its mount's path. */
function typesOf(mounts: readonly string[]): string {
  const types = mounts.map((mount) => /\(([^()]*)\)$/.exec(mount)?.[1] ?? "unknown");
  return [...new Set(types)].sort().slice(0, 20).join(", ");
}

/** Counts and keyed digests for the journal. */
export function factsOf(comparison: Comparison): Facts {
  const { notCompared, counts } = comparison;
  return {
    equal: comparison.equal,
    newer: comparison.newer.length,
    changed: comparison.changed.length,
    added: comparison.added.length,
    lost: comparison.lost.length,
    regressed: comparison.regressed.length,
    excused: comparison.excused.length,
    entriesNotCompared: notCompared.entries.length,
    mountsNotCompared: notCompared.mounts.length,
    ...(notCompared.mounts.length > 0 && { typesNotCompared: typesOf(notCompared.mounts) }),
    tokensBefore: counts.tokens.before,
    tokensAfter: counts.tokens.after,
    leasesBefore: counts.leases.before,
    leasesAfter: counts.leases.after,
    sameDigest: comparison.sameDigest,
    digestBefore: comparison.digestBefore,
    digestAfter: comparison.digestAfter,
  };
}
