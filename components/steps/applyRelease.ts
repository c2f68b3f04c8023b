import { isPaused, setReleaseSuspended } from "./pausing";
import { Refused, type StepContext } from "./runStep";
import { condition, releasesPath, until, type HelmRelease } from "./world";

/**
 * Lets helm-controller apply the HelmRelease's values once, waits until `missing` finds nothing missing in the live
 * objects, and suspends it again, also on failure: nothing else may upgrade the release in the window.
 * @throws Refused when Flux reports a failed upgrade; KubeError with reason Timeout.
 */
export async function applyRelease(
  ctx: StepContext,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const path = `${releasesPath(ctx.input.namespace)}/${ctx.input.release}`;
  const asked = await setReleaseSuspended(ctx, false);
  const generation = asked.metadata?.generation ?? 0;
  ctx.log("waiting for Flux to apply the HelmRelease");
  try {
    await until("Flux to apply the HelmRelease", ctx.input.podTimeoutSeconds, async () => {
      const release = await ctx.kube.get<HelmRelease>(path);
      const ready = condition(release, "Ready");
      const current = (release.status?.observedGeneration ?? 0) >= generation;
      if (current && ready?.status === "False" && /Failed$/.test(ready.reason ?? "")) {
        throw new Refused(
          `Flux could not apply the HelmRelease: ${ready.reason}: ${ready.message?.slice(0, 300)} [F54]`,
          "F54",
        );
      }
      if (!current || ready?.status !== "True")
        return { seen: `Ready=${ready?.status ?? "?"} ${ready?.reason ?? ""}` };
      const lack = await missing();
      return lack === undefined ? { value: true } : { seen: lack };
    });
  } finally {
    await setReleaseSuspended(ctx, true);
  }
  const release = await ctx.kube.get<HelmRelease>(path);
  if (!isPaused(release)) {
    throw new Refused(
      "somebody resumed the HelmRelease in the middle of the cutover; suspend it and run again [F53]",
      "F53",
    );
  }
}
