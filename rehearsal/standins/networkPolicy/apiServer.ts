import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";

const requestTimeoutMs = 30_000;

/** An answer of the API server other than success. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status. */
    readonly status: number,
  ) {
    super(message);
  }
}

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Longest silence between two pieces of an answer, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The API server of a kubeconfig's current context, over plain HTTPS. The full client costs each stand-in three seconds
 * of processor time at its start and a hundred megabytes for good, on a machine that carries three nodes beside them.
 */
export class ApiServer {
  private readonly server: string;
  private readonly agent: Agent;
  private readonly headers: Record<string, string>;

  /** @throws if the file does not name a cluster and a user with a certificate or a token. */
  constructor(kubeconfigPath: string) {
    const { cluster, user } = currentContext(kubeconfigPath);
    const content = (from: Settings, key: string): string | undefined => {
      if (from[`${key}-data`]) return Buffer.from(String(from[`${key}-data`]), "base64").toString("utf8");
      return from[key]
        ? readFileSync(resolve(dirname(kubeconfigPath), String(from[key])), "utf8")
        : undefined;
    };
    this.server = String(cluster["server"]);
    this.headers = user["token"] ? { authorization: `Bearer ${String(user["token"])}` } : {};
    this.agent = new Agent({
      keepAlive: true,
      ca: content(cluster, "certificate-authority"),
      cert: content(user, "client-certificate"),
      key: content(user, "client-key"),
      rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
    });
  }

  /** Sends a request. @returns the decoded answer. @throws ApiError for a status that is not a success. */
  async send<T>(sent: ApiRequest): Promise<T> {
    const lines: string[] = [];
    await this.lines(sent, (line) => lines.push(line));
    return JSON.parse(lines.join("\n")) as T;
  }

  /** Sends a request whose answer is handed over line by line, as a watch sends it, until it ends. */
  async lines(sent: ApiRequest, onLine: (line: string) => void): Promise<void> {
    const url = new URL(sent.path, this.server);
    for (const [key, value] of Object.entries(sent.query ?? {})) url.searchParams.set(key, value);
    const { method = "GET", signal } = sent;
    const payload = sent.body && Buffer.from(JSON.stringify(sent.body));
    const headers = {
      ...this.headers,
      accept: "application/json",
      "content-type": "application/json",
      // Node announces no body on DELETE by itself: the server would ignore the preconditions and take the bytes for
      // the connection's next request, which it answers with 400.
      ...(payload && { "content-length": payload.length }),
    };
    await new Promise<void>((done, fail) => {
      const call = request(url, { method, headers, signal, agent: this.agent }, (answer) => {
        const status = answer.statusCode ?? 0;
        const refused: string[] = [];
        // The interface passes the answer's errors on as its own.
        createInterface(answer)
          .on("error", fail)
          .on("line", (line) => (status < 300 ? onLine(line) : refused.push(line)))
          .on("close", () => {
            if (!answer.complete)
              fail(new Error(`${method} ${sent.path}: the connection broke in mid-answer`));
            else if (status < 300) done();
            else
              fail(
                new ApiError(`${method} ${sent.path} was answered ${status}: ${refused.join(" ")}`, status),
              );
          });
      });
      call.setTimeout(sent.timeoutMs ?? requestTimeoutMs, () => {
        call.destroy(new Error(`${method} ${sent.path}: nothing heard from ${url.host} for too long`));
      });
      call.on("error", fail).end(payload);
    });
  }
}

type Settings = Record<string, unknown>;

function currentContext(path: string): { cluster: Settings; user: Settings } {
  const config = parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const named = (list: string, entry: string, name: unknown): Settings => {
    const found = (config[list] as Settings[] | undefined)?.find((item) => item["name"] === name)?.[entry];
    if (!found)
      throw new Error(`${path} has no "${entry}" named "${String(name)}"; its current context needs one`);
    return found as Settings;
  };
  const context = named("contexts", "context", config["current-context"]);
  return {
    cluster: named("clusters", "cluster", context["cluster"]),
    user: named("users", "user", context["user"]),
  };
}
