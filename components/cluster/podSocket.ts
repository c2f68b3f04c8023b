import { PortForward, type KubeConfig } from "./kubernetesLibrary";
import * as http from "node:http";
import { Duplex, PassThrough, Writable } from "node:stream";
import * as tls from "node:tls";

/** The part of a WebSocket that is used here. */
interface WebSocketLike {
  send(data: Buffer, callback: (error?: Error) => void): void;
  close(): void;
  on(event: "close" | "error", listener: (error?: Error) => void): void;
}

/**
 * One TCP connection to a port of a pod through the API server's port-forward, as a stream of this process:
 * no local port is opened, and the bytes are in nobody's audit log (facts/openbao.md, hazards.md section 3).
 */
export class PodSocket extends Duplex {
  private socket: WebSocketLike | undefined;

  constructor() {
    super();
    // "Connection refused" in the pod may come before http listens, or after it has let go, and would then end the
    // process. Whoever uses the stream hears the error all the same.
    this.on("error", () => undefined);
  }

  attach(socket: WebSocketLike): void {
    this.socket = socket;
    // The pod can have refused before the port-forward was handed over: an open one would keep the process alive.
    if (this.destroyed) socket.close();
    socket.on("close", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
  }

  /** Where port-forward writes what the pod sends. */
  readonly fromPod = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      if (chunk.length > 0) this.push(chunk);
      callback();
    },
  });

  /** Where port-forward writes its own failures, such as "connection refused" in the pod. */
  readonly failures = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      if (chunk.length > 0) this.destroy(new Error(`port-forward: ${chunk.toString("utf8").slice(0, 300)}`));
      callback();
    },
  });

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.socket === undefined) return callback(new Error("port-forward is not open yet"));
    this.socket.send(Buffer.concat([Buffer.from([0]), chunk]), callback);
  }

  override _final(callback: () => void): void {
    // Closing the websocket would cut the reply short; the peer ends the connection.
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.socket?.close();
    callback(error);
  }

  // http.Agent calls these on its sockets.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** TLS of the OpenBao listener; the certificate is checked against `ca` and `servername`, never skipped. */
export interface PodTls {
  /** PEM; no other CA is trusted, those of the system neither. */
  readonly ca: string;
  /** Name that the certificate must hold. */
  readonly servername: string;
}

/** Opens one connection to `port` of the pod. @throws Error when the API server refuses the port-forward. */
export async function openPodSocket(config: KubeConfig, namespace: string, pod: string, port: number) {
  const stream = new PodSocket();
  // "Connection refused" in the pod may come before http listens, or after it has let go: without a listener that ends
  // the process. Whoever uses the stream hears the error all the same.
  stream.on("error", () => undefined);
  // The input stream stays empty: _write sends frames itself, to know when each one has left.
  const socket = await new PortForward(config).portForward(
    namespace,
    pod,
    [port],
    stream.fromPod,
    stream.failures,
    new PassThrough(),
  );
  stream.attach(socket as unknown as WebSocketLike);
  return stream;
}

/** An http.Agent whose connections end in the pod. */
export function podAgent(
  config: KubeConfig,
  namespace: string,
  pod: string,
  port: number,
  secure?: () => Promise<PodTls>,
): http.Agent {
  return streamAgent(`${pod}:${port} in ${namespace}`, async () => {
    const trust = await secure?.();
    const raw = await openPodSocket(config, namespace, pod, port);
    if (raw.errored !== null) throw raw.errored;
    return trust === undefined ? raw : secured(raw, trust);
  });
}

/** TLS over a stream that is open. @throws Error when the certificate does not hold; the stream is closed then. */
export function secured(raw: Duplex, { ca, servername }: PodTls): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    // Said outright: NODE_TLS_REJECT_UNAUTHORIZED in the environment must not switch the check off.
    const wrapped = tls.connect({ socket: raw, servername, ca, rejectUnauthorized: true });
    wrapped.once("secureConnect", () => resolve(wrapped));
    wrapped.once("error", (cause) => {
      raw.destroy();
      reject(new Error(`TLS as "${servername}": ${cause.message} [F61]`, { cause }));
    });
    // A peer without TLS may hang up in mid-handshake, with no error.
    wrapped.once("close", () => reject(new Error(`TLS as "${servername}": the peer closed [F61]`)));
  });
}

/**
 * An http.Agent over streams that `connect` opens. One that opens after the agent's end is ended, too: it would keep the
 * process alive for as long as the API server lets it.
 * @param where the far end, for messages
 */
export function streamAgent(where: string, connect: () => Promise<Duplex>): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const destroy = agent.destroy.bind(agent);
  let ended = false;
  agent.destroy = () => {
    ended = true;
    destroy();
  };
  agent.createConnection = ((_options: unknown, callback: (error: Error | null, stream?: Duplex) => void) => {
    connect().then(
      (stream) => {
        if (!ended) return callback(null, stream);
        stream.destroy();
        callback(new Error(`no connection to ${where} (the client is closed)`));
      },
      (cause: unknown) => callback(new Error(`no connection to ${where} (${reasonOf(cause)})`, { cause })),
    );
    return undefined;
  }) as unknown as typeof agent.createConnection;
  return agent;
}

function reasonOf(cause: unknown): string {
  const message = (cause as { message?: unknown })?.message;
  // All that a user without the right gets from the upgrade to a WebSocket (F59).
  if (typeof message === "string" && message.endsWith("server response: 403"))
    return "HTTP 403: a port-forward needs the rights get and create on pods/portforward; see docs/role.yaml";
  return typeof message === "string" && message !== "" ? message : "the API server closed the connection";
}
