// Before: the other writers are paused, a backup is stored, and the held key is proven on this store.
// After: no pod of the server exists; the journal names the node that had the volume.
import type { V1Pod } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { DEFAULT_MAX_ENTRY_BYTES, largestFile, limitTooLow, maxEntryBytes } from "../entrySize";
import { holdsProvenKey } from "../keyProof";
import { isPaused } from "../pausing";
import type { CarryPath } from "../carryPath";
import { type Step, type StepContext } from "../runStep";
import { observeWorld, podsPath, scale } from "../world";

/** What has to be kept before the server may stop. */
const NEEDED: Readonly<Record<CarryPath, readonly string[]>> = {
  migrate: ["file-copy", "inventory-cutover"],
  restore: ["snapshot", "inventory-cutover"],
  "restore-file": ["snapshot"],
  reseed: ["reseed-check"],
  none: ["inventory-cutover"],
};

async function isDone(ctx: StepContext, step: string): Promise<boolean> {
  return (await ctx.journal.done(step)) !== undefined;
}

export const stop: Step = {
  id: "stop",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    // A source on Raft asks for Raft from the beginning: there the journal tells.
    const past = ctx.input.path === undefined ? world.flipped : await isDone(ctx, "set-aside");
    if (world.moved || past) return { state: "done", observed: { note: "the data is on Raft already" } };
    if (world.statefulSet.spec?.replicas === 0 && world.pod0 === undefined) {
      return { state: "done", observed: { replicas: 0 } };
    }
    if (!isPaused(world.release)) {
      return {
        state: "refuse",
        hazard: "I1",
        why: "the HelmRelease is not paused, and would start the server again",
      };
    }
    const needed = NEEDED[ctx.input.path ?? "migrate"];
    const found = await Promise.all(needed.map((step) => isDone(ctx, step)));
    if (found.includes(false)) {
      return {
        state: "refuse",
        hazard: "H2",
        why: `the journal lacks ${needed.filter((_, at) => !found[at]).join(", ")}; run stage backup`,
      };
    }
    // The last moment at which a wrong key costs nothing: the server still serves. On the other paths step snapshot
    // has proved the key on the snapshot, which restore asks again; a reseed needs no old key.
    if (ctx.input.path === undefined && (await holdsProvenKey(ctx)) !== true) {
      return {
        state: "refuse",
        hazard: "F24",
        why: `the key in Secret "${ctx.input.keySecret.name}" is not proven to open this store; run stage backup, which proves it`,
      };
    }
    // The last look at the files was just now: a larger entry stops migrate while the server is down.
    const limit = maxEntryBytes(largestFile(await ctx.journal.entries()));
    const planned = ctx.input.maxEntryBytes ?? DEFAULT_MAX_ENTRY_BYTES;
    if (ctx.input.path === undefined && limit > planned) {
      return { state: "refuse", hazard: "I13", why: limitTooLow(limit, planned) };
    }
    return { state: "todo", observed: { node: world.pod0?.spec?.nodeName } };
  },

  async act(ctx) {
    await ctx.fence.assertHeld();
    await scale(ctx.kube, ctx.input.namespace, ctx.input.release, 0);
  },

  async verify(ctx) {
    await ctx.kube.waitFor<V1Pod & KubeObject>(
      podsPath(ctx.input.namespace),
      `${ctx.input.release}-0`,
      (pod) => pod === undefined,
      { what: `${ctx.input.release}-0 to be gone`, timeoutSeconds: ctx.input.podTimeoutSeconds },
    );
    return { replicas: 0 };
  },
};

export default stop;
