import type { PauseRecord } from "../steps/pauseRecord";
import type { StepContext } from "../steps/runStep";
import type { HelmRelease } from "../steps/world";
import { fluxDelivery } from "./fluxDelivery";
import { helmDelivery } from "./helmDelivery";
import type { ReleaseName } from "./releaseReader";

/** What the steps need of whoever applies the chart; reading it is `readRelease`. */
export interface Delivery {
  /** Holds the release, marks it as held by this program, and records its old values. */
  pause(ctx: StepContext, release: HelmRelease): Promise<void>;
  /**
   * Gives the release, and what applies it, back as it was found.
   * @throws Refused when somebody changed it meanwhile (F53), or Git would take it back (F69)
   */
  resume(ctx: StepContext, release: HelmRelease, before: PauseRecord): Promise<void>;
  /** Bounded wait until the paused release has no work in progress. */
  waitIdle(ctx: StepContext): Promise<HelmRelease>;
  /** Bounded wait until the resumed release is applied. */
  waitSettled(ctx: StepContext): Promise<void>;
  /** Merges changes into the values that are asked for; nothing is applied by it. */
  patchValues(ctx: StepContext, values: Record<string, unknown>): Promise<void>;
  /** Asks for the values of before the cutover again; nothing is applied by it. */
  restoreValues(ctx: StepContext, release: HelmRelease): Promise<void>;
  /** Applies the values that are asked for, and waits until nothing is missing. @throws Refused when that fails (F54) */
  apply(ctx: StepContext, missing: () => Promise<string | undefined>): Promise<void>;
}

export function deliveryOf({ delivery }: Pick<ReleaseName, "delivery">): Delivery {
  return delivery === "helm" ? helmDelivery : fluxDelivery;
}
