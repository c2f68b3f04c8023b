// Before: the other writers are paused, a backup is stored, and the held key is proven on this store.
// After: no pod of the server exists; the journal names the node that had the volume.
import type { V1Pod } from "@kubernetes/client-node";
import type { KubeObject } from "../../cluster/kubeClient";
import { holdsProvenKey } from "../keyProof";
import { isPaused } from "../pausing";
import { main, type Step } from "../runStep";
import { observeWorld, podsPath, scale } from "../world";

export const stop: Step = {
  id: "stop",

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved || world.flipped)
      return { state: "done", observed: { note: "the data is on Raft already" } };
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
    const [copy, inventory] = await Promise.all([
      ctx.journal.done("file-copy"),
      ctx.journal.done("inventory-cutover"),
    ]);
    if (copy === undefined || inventory === undefined) {
      return {
        state: "refuse",
        hazard: "H2",
        why: "the journal names no file copy or no inventory; run stage backup",
      };
    }
    // The last moment at which a wrong key costs nothing: the server still serves.
    if ((await holdsProvenKey(ctx)) !== true) {
      return {
        state: "refuse",
        hazard: "F24",
        why: `the key in Secret "${ctx.input.keySecret.name}" is not proven to open this store; run stage backup, which proves it`,
      };
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

if (require.main === module) main(stop);
