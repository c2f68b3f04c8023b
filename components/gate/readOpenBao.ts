import type { OpenBao } from "../cluster/openBaoClient";
import { raftPeers, sealStatus, type RaftPeer, type SealStatus } from "../cluster/openBaoStatus";
import { booleanAt, numberAt, textsAt } from "./fields";
import { known, notKnown, observe, type Observed } from "./observed";

/** What one node says of itself, without a token. */
export interface NodeStatus {
  readonly seal: SealStatus;
  /** 200 active, 429 standby, 503 sealed, 501 uninitialised. */
  readonly health: number;
  readonly isLeader: boolean;
}

/** What the held token shows; nothing of it is a secret. */
export interface TokenView {
  readonly peers: Observed<readonly RaftPeer[]>;
  /** Capabilities of the token on each path that the program uses; absent paths were not asked. */
  readonly capabilities: Observed<Readonly<Record<string, readonly string[]>>>;
  /** Seconds that the token has left; 0 is a token that never ends. */
  readonly ttlSeconds: Observed<number>;
}

/** Paths on which the later stages need rights, with the capabilities that would do. */
export const TOKEN_PATHS: Readonly<Record<string, readonly string[]>> = {
  "sys/mounts": ["read"],
  "sys/auth": ["read"],
  "sys/audit": ["read", "sudo"],
  "sys/policies/acl": ["list"],
  "sys/storage/raft/configuration": ["read"],
  "sys/step-down": ["update", "sudo"],
};

export async function nodeStatus(bao: OpenBao, timeoutMs: number): Promise<NodeStatus> {
  const [seal, health, leader] = await Promise.all([
    sealStatus(bao),
    bao.request("GET", "/v1/sys/health", { timeoutMs }),
    bao.request("GET", "/v1/sys/leader", { timeoutMs }),
  ]);
  return {
    seal: cut(seal),
    health: health.status,
    isLeader: leader.status === 200 && booleanAt(leader.body, "is_self") === true,
  };
}

export async function tokenView(bao: OpenBao, token: string, timeoutMs: number): Promise<TokenView> {
  const [peers, capabilities, ttlSeconds] = await Promise.all([
    observe("the Raft configuration", timeoutMs, () => raftPeers(bao, token)),
    observe("the token's capabilities", timeoutMs, () => capabilitiesOf(bao, token, timeoutMs)),
    observe("the token's time to live", timeoutMs, () => ttlOf(bao, token, timeoutMs)),
  ]);
  return { peers, capabilities, ttlSeconds: ttlSeconds.known ? ttlSeconds.value : ttlSeconds };
}

/** A token without policy "default" may be alive, and not allowed to look at itself: the status tells. */
async function ttlOf(bao: OpenBao, token: string, timeoutMs: number): Promise<Observed<number>> {
  const { status, body } = await bao.request("GET", "/v1/auth/token/lookup-self", { token, timeoutMs });
  const ttl = numberAt(body, "data", "ttl");
  return status === 200 && ttl !== undefined ? known(ttl) : notKnown(`lookup-self answered HTTP ${status}`);
}

async function capabilitiesOf(bao: OpenBao, token: string, timeoutMs: number) {
  const paths = Object.keys(TOKEN_PATHS);
  const reply = await bao.request("POST", "/v1/sys/capabilities-self", { token, body: { paths }, timeoutMs });
  // 403: the token is not known here, or has ended; it then has no capability at all.
  if (reply.status === 403) return Object.fromEntries(paths.map((path) => [path, []]));
  if (reply.status !== 200) throw new Error("unexpected status");
  return Object.fromEntries(paths.map((path) => [path, textsAt(reply.body, "data", path)]));
}

/** A hostile server's texts stay short. */
function cut(seal: SealStatus): SealStatus {
  return {
    ...seal,
    storageType: seal.storageType.slice(0, 100),
    version: seal.version.slice(0, 100),
    type: seal.type.slice(0, 100),
    ...(seal.clusterId !== undefined && { clusterId: seal.clusterId.slice(0, 100) }),
  };
}
