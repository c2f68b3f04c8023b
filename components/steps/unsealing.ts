import { sealStatusIfUp, unseal, UnexpectedReply } from "../cluster/openBaoStatus";
import { Refused, type StepContext } from "./runStep";
import { until } from "./world";

/** A server that takes the key may answer late: it opens its store first. */
const UNSEAL_SECONDS = 120;
/** So often a server may call the key wrong: a call that met the hook's in the middle can fail for no fault of it. */
const REJECTIONS = 3;

/** Hazard of the refusal of a key that the server calls wrong. */
export const WRONG_KEY = "F24";

/** So long a follower that joins is given no second key: see oneUnseal.ts. */
export const JOINING_SECONDS = 30;

/**
 * Gives the held key until the pod is unsealed. Judged by the server's state, not by the reply: the user's postStart
 * hook may give the same key at the same moment, and the loser of the two gets an error (seen: HTTP 500 "invalid key
 * size 0" from 2.4.0).
 * @param againAfter seconds between a key that was not called wrong and the next one. @default 0
 * @throws Refused when the server calls the key wrong (hazard F24); KubeError with reason Timeout.
 */
export async function unsealPod(ctx: StepContext, pod: string, againAfter = 0): Promise<void> {
  const { unsealKey } = await ctx.keys();
  await ctx.fence.assertHeld();
  let rejected = 0;
  let said = "no error";
  let next = 0;
  const seconds = Math.min(UNSEAL_SECONDS, ctx.input.podTimeoutSeconds);
  await until(`${pod} to be unsealed`, seconds, async () => {
    let wrong = false;
    if (Date.now() >= next) {
      try {
        await unseal(ctx.bao(pod), unsealKey);
        said = "no error";
      } catch (error) {
        said = error instanceof Error ? error.message : String(error);
        wrong = error instanceof UnexpectedReply && error.status === 400;
      }
      // A reply that was lost may have been heard.
      if (!wrong) next = Date.now() + againAfter * 1000;
    }
    const status = await sealStatusIfUp(ctx.bao(pod));
    if (status?.sealed === false) return { value: true };
    if (wrong && ++rejected === REJECTIONS) {
      throw new Refused(
        `the held key does not open ${pod} (${said}). Nothing is lost: a wrong key changes nothing on its volume. Put the right key into the key Secret and run \`pulumi up\` again [${WRONG_KEY}]`,
        WRONG_KEY,
      );
    }
    return { seen: `still sealed; ${said}` };
  });
}
