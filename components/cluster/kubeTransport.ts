import type { KubeConfig } from "./kubernetesLibrary";
import * as http from "node:http";
import * as https from "node:https";
import { StringDecoder } from "node:string_decoder";

const MAX_REPLY_BYTES = 64 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 20_000;

export type Query = Record<string, string>;

/** An answer of the API server that is not a success; `status` 0 means that no answer came. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** True for what may be over in a moment, such as a control plane that is being replaced; a wait's own end is not. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof KubeError) || error.reason === "Timeout") return false;
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

/** One request to the API server. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly body?: object;
  readonly contentType?: string;
  readonly timeoutMs?: number;
  /** Cuts the request off. */
  readonly signal?: AbortSignal;
}

/** HTTP to the API server with the kubeconfig's credentials, on kept connections, with a bound on time and size. */
export class KubeTransport {
  private readonly agent = new https.Agent({ keepAlive: true, maxSockets: 16 });
  private readonly plainAgent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  private readonly server: string;
  /** Ends those under way through the kubeconfig's proxy: no agent of ours holds them. */
  private readonly proxyRequests = new Set<(cause: Error) => void>();
  private readonly proxied: boolean;
  private closed = false;

  constructor(private readonly config: KubeConfig) {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("the kubeconfig names no cluster for its current context");
    this.server = server;
    this.proxied = usesProxy(config);
  }

  /** Ends what is under way, and refuses what comes later: a server that hangs must not keep the process. */
  close(): void {
    this.closed = true;
    this.agent.destroy();
    this.plainAgent.destroy();
    for (const end of this.proxyRequests) end(new Error("the client is closed"));
  }

  /** The whole reply as text. @throws KubeError */
  async send(sent: ApiCall): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await this.open(sent, (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES)
        throw new KubeError(`${sent.method} ${sent.path}: reply over 64 MiB`, 0, "TooLarge");
      chunks.push(chunk);
      return true;
    });
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Calls `onLine` for each line of a streamed reply until it returns false or the stream ends. @throws KubeError */
  async lines(sent: ApiCall, onLine: (line: string) => boolean): Promise<void> {
    // A character of several bytes may be cut by the network; decoded by itself, each half would be lost.
    const decoder = new StringDecoder("utf8");
    let rest = "";
    await this.open(sent, (chunk) => {
      rest += decoder.write(chunk);
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      return lines.filter((line) => line !== "").every(onLine);
    });
  }

  private async open(sent: ApiCall, onChunk: (chunk: Buffer) => boolean): Promise<void> {
    if (this.closed) throw new KubeError(`${sent.method} ${sent.path}: the client is closed`, 0, "Timeout");
    // The server may have a path of its own, as behind a proxy of clusters: the call's comes below it.
    const url = new URL(this.server.replace(/\/$/, "") + sent.path);
    for (const [key, value] of Object.entries(sent.query ?? {})) url.searchParams.set(key, value);
    const timeout = sent.timeoutMs ?? REQUEST_TIMEOUT_MS;
    // Here too: the way to a proxy is bounded by this one.
    const options: https.RequestOptions = { method: sent.method, agent: this.agent, headers: {}, timeout };
    await this.config.applyToHTTPSOptions(options);
    // applyToHTTPSOptions brings its own agent; ours keeps connections, with the same credentials per request. The
    // way through a proxy is in its own alone, which holds the credentials too: one a request, since they may change.
    if (!this.proxied) options.agent = url.protocol === "https:" ? this.agent : this.plainAgent;
    const payload = sent.body === undefined ? undefined : Buffer.from(JSON.stringify(sent.body));
    const headers = { ...options.headers, accept: "application/json" } as http.OutgoingHttpHeaders;
    if (payload !== undefined) {
      headers["content-type"] = sent.contentType ?? "application/json";
      headers["content-length"] = payload.length;
    }
    const label = `${sent.method} ${sent.path}`;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error) =>
        reject(
          cause instanceof KubeError
            ? cause
            : new KubeError(`${label}: no answer from the API server (${cause.message})`, 0, "NoAnswer", {
                cause,
              }),
        );
      const request = (url.protocol === "https:" ? https : http).request(
        url,
        { ...options, headers, ...(sent.signal && { signal: sent.signal }) },
        (response) => {
          const status = response.statusCode ?? 0;
          const errors: Buffer[] = [];
          response.on("data", (chunk: Buffer) => {
            if (status >= 400) {
              if (errors.length < 64) errors.push(chunk);
              return;
            }
            try {
              if (!onChunk(chunk)) {
                resolve();
                request.destroy();
              }
            } catch (error) {
              request.destroy();
              fail(error as Error);
            }
          });
          response.on("end", () => (status >= 400 ? reject(statusError(label, status, errors)) : resolve()));
          response.on("error", fail);
          response.on("aborted", () => fail(new Error("connection closed in mid-reply")));
        },
      );
      if (this.proxied) {
        // A request that still waits for its connection tells of no error.
        const end = (cause: Error) => {
          fail(cause);
          request.destroy();
        };
        this.proxyRequests.add(end);
        request.once("close", () => this.proxyRequests.delete(end));
      }
      request.setTimeout(timeout, () => request.destroy(new Error("timed out")));
      request.on("error", fail);
      request.end(payload);
    });
  }
}

/** Whether the kubeconfig's cluster is reached through a proxy. @throws Error for a `proxy-url` that cannot be used */
function usesProxy(config: KubeConfig): boolean {
  const cluster = config.getCurrentCluster();
  if (cluster?.proxyUrl === undefined || cluster.proxyUrl === "") return false;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(cluster.proxyUrl)?.[1]?.toLowerCase();
  if (["http", "https", "socks5"].includes(scheme ?? "")) return true;
  // The URL may hold a password.
  throw new Error(
    `the kubeconfig's cluster "${cluster.name}" has a "proxy-url" of scheme "${scheme ?? "none"}", expected http://, ` +
      "https:// or socks5:// with a host; put it right, or take it out if the API server is reached directly",
  );
}

function statusError(label: string, status: number, body: Buffer[]): KubeError {
  let message = "";
  let reason = "";
  try {
    const parsed = JSON.parse(Buffer.concat(body).toString("utf8")) as { message?: string; reason?: string };
    message = parsed.message ?? "";
    reason = parsed.reason ?? "";
  } catch {
    // Not every proxy answers with a Status object; the code is enough then.
  }
  return new KubeError(`${label}: HTTP ${status} ${reason} ${message}`.trim(), status, reason);
}
