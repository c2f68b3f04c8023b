import { once } from "node:events";
import * as http from "node:http";
import { Writable, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Error of a call that got no HTTP answer: connection refused, cut, or timed out. */
export class OpenBaoUnreachable extends Error {
  override readonly name = "OpenBaoUnreachable";
}

/** Cause of an OpenBaoUnreachable whose time was over: somebody may be there, and be busy. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** True for silence, false for a connection that was refused or cut. */
export function isBusy(error: OpenBaoUnreachable): boolean {
  return error.cause instanceof NoAnswer;
}

export interface OpenBaoReply {
  readonly status: number;
  /** Parsed JSON, or undefined for an empty or non-JSON body. */
  readonly body: unknown;
}

export interface OpenBaoCall {
  readonly token?: string;
  readonly body?: object;
  /** OpenBao namespace (header X-Vault-Namespace). */
  readonly namespace?: string;
  /** Milliseconds. @default 15000: a wedged node hangs on every call (facts/openbao.md section 4). */
  readonly timeoutMs?: number;
}

/** HTTP to one OpenBao node. Never through a Service: a key must reach the node it is meant for (hazard I3). */
export interface OpenBao {
  /** The node, for messages. */
  readonly where: string;
  /** @throws OpenBaoUnreachable when no answer comes; every HTTP status is an answer. */
  request(method: string, path: string, call?: OpenBaoCall): Promise<OpenBaoReply>;
  close(): void;
}

/** Bytes to or from one node, for snapshots: neither is ever held in memory as a whole. */
export interface OpenBaoStream {
  readonly token: string;
  /** Bound of the whole transfer, in milliseconds. */
  readonly timeoutMs: number;
  /** What is sent, of `bytes` length. @default nothing */
  readonly body?: { readonly source: Readable; readonly bytes: number };
  /** Where the reply of a success goes. @default it is dropped */
  readonly sink?: Writable;
}

export interface StreamingOpenBao extends OpenBao {
  /** @returns the HTTP status. @throws OpenBaoUnreachable when the connection is cut or the time is over. */
  stream(method: string, path: string, call: OpenBaoStream): Promise<number>;
}

/** The same node for transfers. @throws Error for a client that has none: this is a bug. */
export function streaming(bao: OpenBao): StreamingOpenBao {
  if ("stream" in bao) return bao as StreamingOpenBao;
  throw new Error(`${bao.where}: this client cannot stream; this is a bug`);
}

/** OpenBao on an address; used against test servers on loopback. */
export function openBaoAt(url: string): StreamingOpenBao {
  const base = new URL(url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  return new HttpOpenBao(base.host, agent, base.hostname, Number(base.port));
}

/** OpenBao over an agent whose connections already end at the node, such as `podAgent`. */
export function openBaoOver(agent: http.Agent, where: string): StreamingOpenBao {
  return new HttpOpenBao(where, agent, "127.0.0.1", 8200);
}

class HttpOpenBao implements StreamingOpenBao {
  private closed = false;

  constructor(
    readonly where: string,
    private readonly agent: http.Agent,
    private readonly host: string,
    private readonly port: number,
  ) {}

  request(method: string, path: string, call: OpenBaoCall = {}): Promise<OpenBaoReply> {
    // Not a node that is away: whoever waits for that would ask on.
    if (this.closed) return Promise.reject(new Error(`${this.where}: the client is closed`));
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const headers: http.OutgoingHttpHeaders = { "x-vault-request": "true" };
    if (call.token !== undefined) headers["x-vault-token"] = call.token;
    if (call.namespace !== undefined) headers["x-vault-namespace"] = call.namespace;
    if (payload !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = payload.length;
    }
    return new Promise((resolve, reject) => {
      const timeoutMs = call.timeoutMs ?? 15_000;
      const fail = (cause: Error) =>
        // The path may hold the name of a secret, so only the first segments are shown.
        reject(
          new OpenBaoUnreachable(`${this.where}: ${method} ${shown(path)}: ${cause.message}`, { cause }),
        );
      const request = http.request(
        { agent: this.agent, host: this.host, port: this.port, method, path, headers },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > MAX_REPLY_BYTES) request.destroy(new Error("reply over 64 MiB"));
            else chunks.push(chunk);
          });
          response.on("end", () => {
            clearTimeout(timer);
            resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks)) });
          });
          response.on("aborted", () => fail(new Error("connection cut in mid-reply")));
          response.on("error", fail);
        },
      );
      // Not request.setTimeout: that counts idle time only, and needs a real socket.
      const timer = setTimeout(() => {
        const late = new NoAnswer(`no answer within ${timeoutMs} ms`);
        request.destroy(late);
        // While the port-forward is still opening there is no socket that would tell of the end.
        fail(late);
      }, timeoutMs);
      request.on("error", (error) => {
        clearTimeout(timer);
        fail(error);
      });
      request.end(payload);
    });
  }

  async stream(method: string, path: string, call: OpenBaoStream): Promise<number> {
    const headers: http.OutgoingHttpHeaders = { "x-vault-request": "true", "x-vault-token": call.token };
    if (call.body !== undefined) headers["content-length"] = call.body.bytes;
    const request = http.request({
      agent: this.agent,
      host: this.host,
      port: this.port,
      method,
      path,
      headers,
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const cause = new NoAnswer(`not done within ${call.timeoutMs} ms`);
        request.destroy(cause);
        // While the port-forward is still opening there is no socket that would tell of the end.
        reject(cause);
      }, call.timeoutMs);
    });
    try {
      const answered = once(request, "response") as Promise<[http.IncomingMessage]>;
      // The answer may come before all is sent; a failure of either is one of the whole.
      const sent = call.body === undefined ? void request.end() : pipeline(call.body.source, request);
      const [[response]] = await Promise.race([Promise.all([answered, sent]), late]);
      const status = response.statusCode ?? 0;
      const sink = status === 200 ? call.sink : undefined;
      await pipeline(response, sink ?? new Writable({ write: (_chunk, _encoding, done) => done() }));
      return status;
    } catch (error) {
      request.destroy();
      const cause = error as Error;
      throw new OpenBaoUnreachable(`${this.where}: ${method} ${shown(path)}: ${cause.message}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.closed = true;
    this.agent.destroy();
  }
}

function shown(path: string): string {
  const segments = path.split("/");
  return segments[2] === "sys" ? path.split("?")[0]! : segments.slice(0, 3).join("/") + "/...";
}

function parse(buffer: Buffer): unknown {
  if (buffer.length === 0) return undefined;
  try {
    return JSON.parse(buffer.toString("utf8"));
  } catch {
    return undefined;
  }
}
