import { mutating } from "./failpoint";
import type { KubeClient } from "./kubeClient";
import {
  isBusy,
  openBaoOver,
  OpenBaoUnreachable,
  type OpenBao,
  type OpenBaoReply,
  type StreamingOpenBao,
} from "./openBaoClient";
import { podAgent } from "./podSocket";
import { podTrust, type TrustedServer } from "./podTrust";

const API_PORT = 8200;
/** A node that holds a wrong key hangs on every call (facts/openbao.md section 4): ask briefly. */
const STATUS_TIMEOUT_MS = 5_000;

export interface SealStatus {
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly storageType: string;
  readonly version: string;
  readonly type: string;
  readonly threshold: number;
  readonly shares: number;
  readonly clusterId?: string;
}

export interface RaftPeer {
  readonly nodeId: string;
  readonly address: string;
  readonly leader: boolean;
  readonly voter: boolean;
}

/** OpenBao in one pod, by name, over a port-forward; with TLS where the config says how it is trusted. */
export function openBaoInPod(kube: KubeClient, server: TrustedServer, pod: string): StreamingOpenBao {
  const trust = podTrust(kube, server, pod);
  return openBaoOver(podAgent(kube.config, server.namespace, pod, API_PORT, trust), pod);
}

/** @throws OpenBaoUnreachable; Error when the answer is not a seal status. */
export async function sealStatus(bao: OpenBao): Promise<SealStatus> {
  const reply = await bao.request("GET", "/v1/sys/seal-status", { timeoutMs: STATUS_TIMEOUT_MS });
  const body = record(reply.body);
  if (
    reply.status !== 200 ||
    typeof body["initialized"] !== "boolean" ||
    typeof body["sealed"] !== "boolean"
  ) {
    throw new Error(
      `${bao.where}: seal-status answered HTTP ${reply.status}, expected 200 with "initialized" and "sealed"`,
    );
  }
  return {
    initialized: body["initialized"],
    sealed: body["sealed"],
    storageType: String(body["storage_type"] ?? "unknown"),
    version: String(body["version"] ?? "unknown"),
    type: String(body["type"] ?? "unknown"),
    threshold: Number(body["t"] ?? 0),
    shares: Number(body["n"] ?? 0),
    ...(typeof body["cluster_id"] === "string" && { clusterId: body["cluster_id"] }),
  };
}

/** Like sealStatus, with undefined while the node gives no answer; for waiting. */
export async function sealStatusIfUp(bao: OpenBao): Promise<SealStatus | undefined> {
  try {
    return await sealStatus(bao);
  } catch (error) {
    if (error instanceof OpenBaoUnreachable) return undefined;
    throw error;
  }
}

/**
 * The seal status, or undefined when nothing listens. A server that takes the connection and is silent is opening its
 * store (seen while the user's hook unseals): it is asked again for `seconds`, since silence is not absence (I3).
 * @param onBusy called each time that it was silent
 */
export async function settledStatus(
  bao: OpenBao,
  seconds: number,
  onBusy: () => void = () => undefined,
): Promise<SealStatus | undefined> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await sealStatus(bao);
    } catch (error) {
      if (!(error instanceof OpenBaoUnreachable)) throw error;
      if (!isBusy(error) || Date.now() > end) return undefined;
      onBusy();
    }
  }
}

/** HTTP status of sys/health: 200 active, 429 standby, 503 sealed, 501 uninitialised; 0 no answer. */
export async function health(bao: OpenBao): Promise<number> {
  try {
    return (await bao.request("GET", "/v1/sys/health", { timeoutMs: STATUS_TIMEOUT_MS })).status;
  } catch (error) {
    if (error instanceof OpenBaoUnreachable) return 0;
    throw error;
  }
}

/** True only for a node that says it is the leader itself: leader_address of others can be stale. */
export async function isLeader(bao: OpenBao): Promise<boolean> {
  const reply = await bao.request("GET", "/v1/sys/leader", { timeoutMs: STATUS_TIMEOUT_MS });
  return reply.status === 200 && record(reply.body)["is_self"] === true;
}

/** The Raft members as this node knows them. @throws Error when the node does not say. */
export async function raftPeers(bao: OpenBao, token: string): Promise<RaftPeer[]> {
  const reply = await bao.request("GET", "/v1/sys/storage/raft/configuration", { token });
  if (reply.status !== 200) throw unexpected(bao, "the Raft configuration", reply);
  const config = record(record(record(reply.body)["data"])["config"]);
  const servers = Array.isArray(config["servers"]) ? config["servers"] : [];
  return servers.map(record).map((server) => ({
    nodeId: String(server["node_id"]),
    address: String(server["address"]),
    leader: server["leader"] === true,
    voter: server["voter"] === true,
  }));
}

/** Gives one key share. The answer tells no more than the status; a wrong key is an error with OpenBao's own words. */
export async function unseal(bao: OpenBao, key: string): Promise<void> {
  const reply = await mutating("PUT /v1/sys/unseal", () =>
    bao.request("PUT", "/v1/sys/unseal", { body: { key }, timeoutMs: 30_000 }),
  );
  if (reply.status !== 200) throw unexpected(bao, "unseal", reply);
}

/** OpenBao answered, and not as expected. The message has its own error texts, which hold no secret. */
export class UnexpectedReply extends Error {
  override readonly name = "UnexpectedReply";
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export function unexpected(bao: OpenBao, what: string, reply: OpenBaoReply): UnexpectedReply {
  const errors = record(reply.body)["errors"];
  const text = Array.isArray(errors) ? errors.map(String).join("; ").slice(0, 500) : "no error text";
  return new UnexpectedReply(`${bao.where}: ${what}: HTTP ${reply.status}: ${text}`, reply.status);
}

/** Narrow an unknown JSON value to an object, an empty one when it is none. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
