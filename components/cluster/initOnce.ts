import { mutating } from "./failpoint";
import { readClaim, takeClaim, moveClaim, type InitClaim } from "./initClaim";
import type { KubeClient } from "./kubeClient";
import type { Fence } from "./lease";
import { OpenBaoUnreachable, type OpenBao } from "./openBaoClient";
import { record, sealStatus, settledStatus, unexpected } from "./openBaoStatus";

const INIT_TIMEOUT_MS = 60_000;
/** After a lost reply, so long may the server be silent. */
const SETTLE_SECONDS = 60;

/** What the one init call gave. Held in memory; written only by who asked for it. */
export interface InitKeys {
  readonly unsealKey: string;
  readonly rootToken: string;
}

/** The init must not be, or was not, done by this run. Nothing is lost; the text says what to do. */
export class InitHeld extends Error {
  override readonly name = "InitHeld";
  constructor(
    message: string,
    readonly hazard: "F13" | "F15" | "F51" | "F57",
  ) {
    super(message);
  }
}

export interface InitPlace {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly fence: Fence;
  /** One pod, by name (hazard F50). */
  readonly pod: string;
  readonly bao: OpenBao;
}

/**
 * Initialises one empty store once: claim first, then the Lease's fence, then one call that is never repeated.
 * Whoever calls it has proved that the place for the keys can be written.
 * @param keep stores the keys before anything else is asked of the API server: here is their only copy (hazard F15).
 * @throws InitHeld when the store is initialised already, or the reply was lost; ClaimLost; LeaseHeld.
 */
export async function initOnce(
  place: InitPlace,
  keep: (keys: InitKeys) => Promise<void> = () => Promise.resolve(),
): Promise<{ keys: InitKeys; claim: InitClaim }> {
  const { kube, namespace, fence, pod, bao } = place;
  const before = await sealStatus(bao);
  if (before.initialized) throw byAnother(pod);
  const seen = await readClaim(kube, namespace);
  const claim = await takeClaim(kube, namespace, seen, { holder: fence.holder, pod });
  await fence.assertHeld();
  const keys = await callInit(bao, pod);
  await keep(keys);
  return { keys, claim: await moveClaim(kube, namespace, claim, { state: "initialised" }) };
}

async function callInit(bao: OpenBao, pod: string): Promise<InitKeys> {
  let reply;
  try {
    const body = { secret_shares: 1, secret_threshold: 1 };
    reply = await mutating("PUT /v1/sys/init", () =>
      bao.request("PUT", "/v1/sys/init", { body, timeoutMs: INIT_TIMEOUT_MS }),
    );
  } catch (error) {
    if (!(error instanceof OpenBaoUnreachable)) throw error;
    // Not asked again: it may have been heard. The store says whether it was.
    const after = await settledStatus(bao, SETTLE_SECONDS);
    if (after?.initialized === false) throw error;
    throw new InitHeld(
      `the reply of the init call of ${pod} was lost, and with it the keys of the empty store that it made`,
      "F15",
    );
  }
  const body = record(reply.body);
  const shares = body["keys_base64"];
  const key: unknown = Array.isArray(shares) ? shares[0] : undefined;
  if (reply.status === 200 && typeof key === "string" && typeof body["root_token"] === "string") {
    return { unsealKey: key, rootToken: body["root_token"] };
  }
  if (reply.status === 400 && (await sealStatus(bao)).initialized) throw byAnother(pod);
  if (reply.status === 200)
    throw new InitHeld(`${pod} answered the init call without a key; its keys are lost`, "F15");
  throw unexpected(bao, "init", reply);
}

function byAnother(pod: string): InitHeld {
  return new InitHeld(
    `${pod} is initialised already, and not by this run: a Job such as vault-config has initialised it. Its keys are where that Job put them`,
    "F57",
  );
}
