// A follower that joins takes each key that it is given in the second before its data has arrived, starts to serve once
// for each, and then has two loops that seek leadership. Made leader by the one, it answers a step-down with "already
// queued" for ever, and hands nothing over when it is stopped (seen on OpenBao 2.4.0: vault/core.go, unsealWithRaft).
import { KubeError } from "../cluster/kubeClient";
import { sealStatusIfUp } from "../cluster/openBaoStatus";
import type { StepContext } from "./runStep";
import { podsPath, until } from "./world";

/** A key that the hook has given works within a second or two of the data's arrival. */
const HOOK_SECONDS = 10;
/** A second start comes within a second of the first. */
const SECOND_START_SECONDS = 3;
const LOG_BYTES = 4 * 1024 * 1024;
const START = "core: entering standby mode";

/** How often the server has started to serve, by its log since its process began; 0 where it logs less than INFO. */
export function startsIn(log: string): number {
  return log.split(START).length - 1;
}

/** Whether somebody else's key, most likely the postStart hook's, opens the pod: it must be given no second one. */
export async function opensByItself(ctx: StepContext, pod: string, seconds = HOOK_SECONDS): Promise<boolean> {
  const open = async () =>
    (await sealStatusIfUp(ctx.bao(pod)))?.sealed === false ? { value: true } : { seen: "sealed" };
  try {
    await until(`${pod} to be unsealed by its own hook`, seconds, open);
    return true;
  } catch (error) {
    if (error instanceof KubeError && error.reason === "Timeout") return false;
    throw error;
  }
}

/** Whether the pod's server has started to serve twice, as its log tells; one that logs less than INFO does not. */
export async function startedTwice(
  ctx: StepContext,
  pod: string,
  seconds = SECOND_START_SECONDS,
): Promise<boolean> {
  const path = `${podsPath(ctx.input.namespace)}/${pod}/log`;
  const twice = async () => {
    const log = await ctx.kube.text(path, { limitBytes: String(LOG_BYTES) });
    const starts = startsIn(log);
    return starts > 1 ? { value: true } : { seen: `${starts} start(s)` };
  };
  try {
    await until(`a second start of ${pod}`, seconds, twice);
    return true;
  } catch (error) {
    if (error instanceof KubeError) return false;
    throw error;
  }
}
