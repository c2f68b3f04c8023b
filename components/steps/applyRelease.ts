import { deliveryOf } from "../delivery/delivery";
import { readRelease } from "../delivery/releaseReader";
import { isPaused } from "./pauseRecord";
import { Refused, type StepContext } from "./runStep";

/**
 * Has the release's values applied once, by whoever delivers it, and waits until `missing` finds nothing missing in the
 * live objects. The release stays paused for everybody else.
 * @throws Refused when they could not be applied; KubeError with reason Timeout.
 */
export async function applyRelease(
  ctx: StepContext,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  await deliveryOf(ctx.input).apply(ctx, missing);
  if (!isPaused(await readRelease(ctx.kube, ctx.input))) {
    throw new Refused(
      "somebody resumed the HelmRelease in the middle of the cutover; suspend it and run again [F53]",
      "F53",
    );
  }
}
