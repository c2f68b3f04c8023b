import { writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { parse, stringify } from "yaml";

/**
 * What goes wrong with one request. 409 to 504: the answer, without effect. refuse: no connection. lost: the effect
 * happens, and its reply is cut. cut: a stream (port-forward, watch, exec) ends after its first bytes.
 */
export const PROXY_FAULTS = ["409", "429", "500", "503", "504", "refuse", "lost", "cut"] as const;
export type ProxyFault = (typeof PROXY_FAULTS)[number];

export interface ArmedFault {
  readonly what: ProxyFault;
  /** Number of the request, from 1, among those that the fault can be done to; `times` in a row are hit. */
  readonly at: number;
  /** @default 1 */
  readonly times?: number;
}

export interface ProxyOptions {
  /** The API server behind it. */
  readonly upstream: string;
  /** Trust, and the credentials that every request is sent with. */
  readonly client?: https.AgentOptions;
  /** The certificate that it shows. @default plain HTTP, for tests */
  readonly server?: { readonly cert: Buffer; readonly key: Buffer };
}

/** A proxy between the steps and the API server that breaks chosen requests (fault matrix rows 11 to 15). */
export interface FaultProxy {
  readonly url: string;
  /** From now on; what was armed before is over. */
  arm(fault: ArmedFault | undefined): void;
  /** "METHOD PATH" of the requests that were hit since the last `arm`. */
  hit(): readonly string[];
  stop(): Promise<void>;
}

const STATUS = /^\d{3}$/;

export async function startFaultProxy({ upstream, client = {}, server }: ProxyOptions): Promise<FaultProxy> {
  const target = new URL(upstream);
  const plain = target.protocol === "http:";
  const agent = plain ? new http.Agent() : new https.Agent(client);
  const send = plain ? http.request : https.request;
  let armed: ArmedFault | undefined;
  let counted = 0;
  let hits: string[] = [];
  const upgraded = new Set<Duplex>();

  /** The fault of this request, if it is its turn. Reads without a stream are retried: a fault in one proves little. */
  const faultOf = (request: http.IncomingMessage): ProxyFault | undefined => {
    if (armed === undefined) return undefined;
    const stream = request.headers.upgrade !== undefined || /[?&](watch|follow)=/.test(request.url ?? "");
    const mutates =
      !["GET", "HEAD"].includes(request.method ?? "") && !(request.url ?? "").includes("/leases");
    const fits = armed.what === "cut" ? stream : mutates || request.headers.upgrade !== undefined;
    if (!fits) return undefined;
    counted++;
    if (counted < armed.at || counted >= armed.at + (armed.times ?? 1)) return undefined;
    hits.push(`${request.method} ${request.url?.split("?")[0]}`);
    return armed.what;
  };
  const options = (request: http.IncomingMessage) => ({
    ...{ agent, host: target.hostname, port: target.port, method: request.method, path: request.url },
    headers: { ...request.headers, host: target.host },
  });

  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const fault = faultOf(request);
    if (fault === "refuse") return void request.socket.destroy();
    if (fault !== undefined && STATUS.test(fault)) return answer(request, response, Number(fault));
    const call = send(options(request), (reply) => {
      if (fault === "lost") return void (reply.resume(), request.socket.destroy());
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      if (fault === "cut") reply.once("data", () => setImmediate(() => request.socket.destroy()));
      reply.pipe(response);
    });
    call.on("error", () => request.socket.destroy());
    response.on("close", () => call.destroy());
    request.pipe(call);
  };
  const upgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer): void => {
    const fault = faultOf(request);
    if (fault !== undefined && fault !== "cut" && fault !== "lost") return void socket.destroy();
    const call = send(options(request));
    call.on("upgrade", (reply, behind, first) => {
      const lines = Object.entries(reply.headers).map(([key, value]) => `${key}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      if (first.length > 0) socket.write(first);
      if (head.length > 0) behind.write(head);
      if (fault !== undefined) behind.once("data", () => setImmediate(() => socket.destroy()));
      behind.pipe(socket).pipe(behind);
      upgraded.add(socket.once("close", () => upgraded.delete(socket)));
      for (const [one, other] of [
        [behind, socket],
        [socket, behind],
      ] as const)
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
    });
    call.on("response", (reply) => {
      socket.end(`HTTP/1.1 ${reply.statusCode} ${reply.statusMessage}\r\ncontent-length: 0\r\n\r\n`);
      reply.resume();
    });
    call.on("error", () => socket.destroy());
    socket.on("error", () => call.destroy());
    call.end();
  };

  const listener = server === undefined ? http.createServer(handle) : https.createServer(server, handle);
  listener.on("upgrade", upgrade);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    url: `${server === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    arm: (fault) => {
      armed = fault;
      counted = 0;
      hits = [];
    },
    hit: () => [...hits],
    stop: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      listener.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
}

/** As the API server words it, with the wait that a client should take for 429. */
function answer(request: http.IncomingMessage, response: http.ServerResponse, code: number): void {
  request.resume();
  const reason = code === 409 ? "Conflict" : code === 429 ? "TooManyRequests" : "InternalError";
  const message = `fault proxy: ${code} for ${request.method} ${request.url?.split("?")[0]}`;
  const body = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message });
  response.writeHead(code, {
    "content-type": "application/json",
    ...(code === 429 && { "retry-after": "1" }),
  });
  response.end(body);
}

/** Writes a copy of a kubeconfig (0600) in which every cluster's server is the proxy. */
export function kubeconfigThrough(proxy: FaultProxy, text: string, file: string): void {
  const config = parse(text) as { clusters: { cluster: { server: string } }[] };
  for (const { cluster } of config.clusters) cluster.server = proxy.url;
  writeFileSync(file, stringify(config), { mode: 0o600 });
}
