import { KubeError, type KubeObject } from "../cluster/kubeClient";
import { originalValues, restorePatch, valuesRecord } from "../steps/originalValues";
import type { StepContext } from "../steps/runStep";
import { condition, PAUSED_ANNOTATION, until, type HelmRelease } from "../steps/world";
import type { Delivery } from "./delivery";
import {
  HELD_SECRET,
  heldPath,
  layerPath,
  mergedChanges,
  overlayOf,
  overlayPatch,
  REVISION_ANNOTATION,
} from "./heldRelease";
import { deployedOf, helmRecord, helmRevisions, secretsPath } from "./helmRecord";
import { upgradeRelease } from "./helmUpgrade";
import { readRelease } from "./releaseReader";

/**
 * Helm itself delivers: nothing reconciles, so nothing can be suspended. The pause is a Secret of this program with the
 * newest revision in it, and an upgrade by somebody else is seen by its revision (hazard F53).
 */
export const helmDelivery: Delivery = {
  async pause(ctx, release) {
    const annotations = {
      [PAUSED_ANNOTATION]: ctx.fence.holder,
      ...valuesRecord(release),
      // A second run must not take in revisions that the first one has not seen.
      ...(release.metadata?.annotations?.[REVISION_ANNOTATION] === undefined && {
        [REVISION_ANNOTATION]: String(release.metadata?.generation),
      }),
    };
    try {
      await ctx.kube.create<KubeObject>(secretsPath(ctx.input.namespace), {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: HELD_SECRET, annotations },
      });
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 409) throw error;
      await ctx.kube.mergePatch(heldPath(ctx.input.namespace), { metadata: { annotations } });
    }
  },

  resume(ctx) {
    return remove(ctx, heldPath(ctx.input.namespace));
  },

  waitIdle(ctx) {
    return until<HelmRelease>("Helm to end what it does", ctx.input.podTimeoutSeconds, async () => {
      const release = await readRelease(ctx.kube, ctx.input);
      const { status, reason } = condition(release, "Reconciling") ?? {};
      return status === "True" ? { seen: `status ${reason}` } : { value: release };
    });
  },

  async waitSettled(ctx) {
    await until("the Helm release to be deployed", ctx.input.podTimeoutSeconds, async () => {
      const { status, reason } = condition(await readRelease(ctx.kube, ctx.input), "Ready") ?? {};
      return status === "True" ? { value: true } : { seen: `status ${reason}` };
    });
  },

  async patchValues(ctx, values) {
    const held = await ctx.kube.get<KubeObject>(heldPath(ctx.input.namespace));
    await writeOverlay(ctx, mergedChanges(overlayOf(held), values));
  },

  async restoreValues(ctx, release) {
    const original = originalValues(release);
    if (original === undefined) return;
    const deployed = deployedOf(await helmRevisions(ctx.kube, ctx.input));
    const config = deployed === undefined ? {} : helmRecord(deployed).config;
    await ctx.fence.assertHeld();
    for (const layer of ["replicas", "raft"] as const) {
      await remove(ctx, layerPath(ctx.input.namespace, layer));
    }
    await writeOverlay(ctx, restorePatch(config, original) ?? {});
  },

  async apply(ctx, missing) {
    ctx.log("waiting for Helm to apply the values");
    await upgradeRelease(ctx);
    await until("the objects that Helm applied", ctx.input.podTimeoutSeconds, async () => {
      const lack = await missing();
      return lack === undefined ? { value: true } : { seen: lack };
    });
  },
};

async function writeOverlay(ctx: StepContext, overlay: Record<string, unknown>): Promise<void> {
  await ctx.kube.mergePatch(heldPath(ctx.input.namespace), overlayPatch(overlay));
}

async function remove(ctx: StepContext, path: string): Promise<void> {
  try {
    await ctx.kube.remove(path);
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 404) throw error;
  }
}
