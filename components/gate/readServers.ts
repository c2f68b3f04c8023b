import type { KubeObject } from "../cluster/kubeClient";
import type { OpenBao } from "../cluster/openBaoClient";
import { notKnown, observe, valueOr, type Observed } from "./observed";
import { tokenOf } from "./readKeySecret";
import { nodeStatus, tokenView, type NodeStatus, type TokenView } from "./readOpenBao";
import type { PodView } from "./readWorkload";
import type { Look } from "./snapshot";

/** Asks every running pod by name, never through a Service (I3); the token stays in memory. */
export function readServers(
  look: Look,
  pods: Promise<Observed<readonly PodView[]>>,
  secretObject: Promise<Observed<KubeObject | undefined>>,
  openBao: (pod: string) => OpenBao,
) {
  const servers = pods.then((seen) => readEach(look, valueOr(seen, []), openBao));
  return { servers, token: readToken(look, servers, secretObject, openBao) };
}

async function readEach(look: Look, pods: readonly PodView[], openBao: (pod: string) => OpenBao) {
  const entries = pods.map(async (pod) => {
    const status =
      pod.phase === "Running" && !pod.terminating
        ? await observe(pod.name, look.timeoutMs, () => nodeStatus(openBao(pod.name), look.timeoutMs))
        : notKnown(`pod ${pod.name} is not running (${pod.terminating ? "terminating" : pod.phase})`);
    return [pod.name, status] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<string, Observed<NodeStatus>>;
}

async function readToken(
  look: Look,
  servers: Promise<Record<string, Observed<NodeStatus>>>,
  secretObject: Promise<Observed<KubeObject | undefined>>,
  openBao: (pod: string) => OpenBao,
): Promise<Observed<TokenView>> {
  const secret = await secretObject;
  if (!secret.known) return notKnown(`the key Secret is not known (${secret.why})`);
  const token = tokenOf(secret.value, look.config.keySecret.rootToken);
  if (token === undefined) return notKnown("the key Secret holds no usable token");
  const active = Object.entries(await servers).find(
    ([, status]) => status.known && status.value.health === 200,
  );
  if (active === undefined) return notKnown("no active OpenBao answered");
  return observe("what the token shows", look.timeoutMs, () =>
    tokenView(openBao(active[0]), token, Math.floor(look.timeoutMs / 2)),
  );
}
