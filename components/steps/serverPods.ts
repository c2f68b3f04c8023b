import type { V1Pod } from "@kubernetes/client-node";
import { KubeError, type KubeObject } from "../cluster/kubeClient";
import type { StepContext } from "./runStep";
import { podsPath } from "./world";

export type ServerPod = V1Pod & KubeObject;

/** The server's pods as they are, whatever replica count is asked for. */
export function serverPods(ctx: StepContext): Promise<ServerPod[]> {
  return ctx.kube.list<ServerPod>(podsPath(ctx.input.namespace), {
    labelSelector: `app.kubernetes.io/instance=${ctx.input.release},component=server`,
  });
}

/**
 * Stops pods all at once: an ordered StatefulSet would stop them one after another. Only for a replica count of 0,
 * with which nothing starts them again. The uid is the precondition: a pod of the same name is not meant.
 */
export async function stopPods(ctx: StepContext, pods: readonly ServerPod[]): Promise<void> {
  await Promise.all(
    pods.map(async ({ metadata }) => {
      try {
        await ctx.kube.remove(`${podsPath(ctx.input.namespace)}/${metadata?.name}`, {
          preconditions: { uid: metadata?.uid },
        });
      } catch (error) {
        if (!(error instanceof KubeError) || (error.status !== 404 && error.status !== 409)) throw error;
      }
    }),
  );
}

/** Bounded wait until none of `pods` is there. */
export async function waitUntilGone(ctx: StepContext, pods: readonly string[]): Promise<void> {
  await Promise.all(
    pods.map((pod) =>
      ctx.kube.waitFor<ServerPod>(podsPath(ctx.input.namespace), pod, (object) => object === undefined, {
        what: `${pod} to be gone`,
        timeoutSeconds: ctx.input.podTimeoutSeconds,
      }),
    ),
  );
}
