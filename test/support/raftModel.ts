import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  OpenBaoUnreachable,
  type OpenBaoCall,
  type OpenBaoReply,
  type OpenBaoStream,
  type StreamingOpenBao,
} from "../../components/cluster/openBaoClient";

/** A store: its keys, its cluster id, and what it holds. */
export interface ModelStore {
  readonly key: string;
  readonly token: string;
  readonly clusterId: string;
}

/**
 * One Raft node as far as init, unseal and snapshot-force go, by OpenBao 2.4.0's rules (facts/openbao.md sections 3, 6):
 * a second init is refused, a wrong key does nothing, snapshot-force brings the snapshot's keys and seals.
 */
export class RaftModel implements StreamingOpenBao {
  readonly where = "openbao-0";
  readonly requests: string[] = [];
  store: ModelStore | undefined;
  sealed = true;
  up = true;
  inits = 0;
  /** What comes out of a snapshot, by the SHA-256 of its file. */
  readonly snapshots = new Map<string, ModelStore>();
  /** Runs before a request is answered; what it throws is the answer. */
  readonly before: ((request: string) => void)[] = [];
  /** Runs after a request took effect, in place of its reply. */
  readonly after: ((request: string) => void)[] = [];

  async request(method: string, path: string, call: OpenBaoCall = {}): Promise<OpenBaoReply> {
    const name = `${method} ${path}`;
    this.seen(name);
    const reply = this.answer(name, call);
    for (const each of this.after) each(name);
    return Promise.resolve(reply);
  }

  async stream(method: string, path: string, call: OpenBaoStream): Promise<number> {
    const name = `${method} ${path}`;
    this.seen(name);
    if (this.sealed || call.token !== this.store?.token) return 403;
    const hash = createHash("sha256");
    const sink = new Writable({ write: (chunk: Buffer, _e, done) => (hash.update(chunk), done()) });
    await pipeline(call.body!.source, sink);
    const content = this.snapshots.get(hash.digest("hex"));
    if (content === undefined) return 400;
    this.store = content;
    this.sealed = true;
    for (const each of this.after) each(name);
    return 204;
  }

  /** A pod that was started again. */
  restart(): void {
    this.sealed = true;
  }

  close(): void {}

  private seen(name: string): void {
    this.requests.push(name);
    if (!this.up) throw new OpenBaoUnreachable(`${this.where}: connection refused`);
    for (const each of this.before) each(name);
  }

  private answer(name: string, call: OpenBaoCall): OpenBaoReply {
    const { store } = this;
    const body = (call.body ?? {}) as { key?: string };
    switch (name) {
      case "GET /v1/sys/seal-status":
        return ok({
          type: "shamir",
          initialized: store !== undefined,
          sealed: store === undefined || this.sealed,
          storage_type: "raft",
          version: "2.4.0",
          t: store === undefined ? 0 : 1,
          n: store === undefined ? 0 : 1,
          ...(store !== undefined && !this.sealed && { cluster_id: store.clusterId }),
        });
      case "GET /v1/sys/health":
        return { status: store === undefined ? 501 : this.sealed ? 503 : 200, body: {} };
      case "PUT /v1/sys/init":
        if (store !== undefined) return failed(400, "Vault is already initialized");
        this.inits++;
        this.store = {
          key: `made-key-${this.inits}`,
          token: `made-token-${this.inits}`,
          clusterId: `made-${this.inits}`,
        };
        return ok({ keys_base64: [this.store.key], root_token: this.store.token });
      case "PUT /v1/sys/unseal":
        if (store === undefined) return failed(400, "Vault is not initialized");
        if (body.key !== store.key) return failed(400, "cipher: message authentication failed");
        this.sealed = false;
        return ok({});
      case "GET /v1/auth/token/lookup-self":
        return !this.sealed && call.token === store?.token ? ok({}) : failed(403, "permission denied");
      default:
        return failed(404, "");
    }
  }
}

function ok(body: object): OpenBaoReply {
  return { status: 200, body };
}

function failed(status: number, text: string): OpenBaoReply {
  return { status, body: { errors: [text] } };
}
