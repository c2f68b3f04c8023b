import { setTimeout as delay } from "node:timers/promises";
import { OpenBaoUnreachable, type OpenBao, type OpenBaoReply } from "../cluster/openBaoClient";

const ATTEMPTS = 4;
/** A damaged entry answers 500; so does every entry when the audit volume is full. More than this is the latter. */
const MAX_SERVER_ERRORS = 100;
const READ_TIMEOUT_MS = 30_000;

export type JsonObject = Record<string, unknown>;

export interface Reading {
  readonly status: number;
  readonly data: JsonObject;
}

export interface Listing {
  readonly status: number;
  readonly keys: readonly string[];
  readonly info: JsonObject;
}

/** Reads and lists on one OpenBao node: retried, bounded, names encoded. It never writes. */
export class InventoryReader {
  private serverErrors = 0;

  constructor(
    private readonly bao: OpenBao,
    private readonly token: string,
  ) {}

  /** `path` is not encoded yet and has no leading "/v1/". @throws Error when the node as a whole cannot answer. */
  async read(namespace: string, path: string, query = ""): Promise<Reading> {
    const reply = await this.send(namespace, "GET", path, query);
    return { status: reply.status, data: objectIn(reply.body, "data") };
  }

  /** Like read, by the method LIST; an empty listing is status 404. */
  async list(namespace: string, path: string, query = ""): Promise<Listing> {
    const reply = await this.send(namespace, "LIST", path, query);
    const data = objectIn(reply.body, "data");
    const keys = Array.isArray(data["keys"])
      ? data["keys"].filter((k): k is string => typeof k === "string")
      : [];
    return { status: reply.status, keys, info: objectIn(data, "key_info") };
  }

  /** Decrypts a ciphertext that the caller made. @throws Error when the node as a whole cannot answer. */
  async decrypt(namespace: string, path: string, ciphertext: string): Promise<Reading> {
    const reply = await this.send(namespace, "POST", path, "", { ciphertext });
    return { status: reply.status, data: objectIn(reply.body, "data") };
  }

  private async send(
    namespace: string,
    method: string,
    path: string,
    query: string,
    body?: object,
  ): Promise<OpenBaoReply> {
    const call = {
      token: this.token,
      timeoutMs: READ_TIMEOUT_MS,
      ...(namespace !== "" && { namespace: encodePath(namespace) }),
      ...(body && { body }),
    };
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS;
      try {
        const reply = await this.bao.request(method, `/v1/${encodePath(path)}${query}`, call);
        if (last || !(reply.status === 429 || reply.status >= 500)) return this.judged(reply, method, path);
      } catch (error) {
        if (last || !(error instanceof OpenBaoUnreachable)) throw error;
      }
      await delay(100 * 2 ** attempt);
    }
  }

  private judged(reply: OpenBaoReply, method: string, path: string): OpenBaoReply {
    const { status } = reply;
    const what = `${this.bao.where}: ${method} ${placeOf(path)}`;
    if (status === 401 || status === 403) {
      throw new Error(
        `${what} answered ${status}, expected to be allowed; the inventory needs a token that may read and list everything, such as a root token`,
      );
    }
    if (status === 307 || status === 429 || status === 472 || status === 473 || status === 503) {
      throw new Error(
        `${what} answered ${status}, expected the unsealed active node; unseal it or name the active pod`,
      );
    }
    if (status >= 500 && ++this.serverErrors > MAX_SERVER_ERRORS) {
      throw new Error(
        `${what}: more than ${MAX_SERVER_ERRORS} reads failed, the last with ${status}; look at the server's log (a full audit volume fails every request)`,
      );
    }
    return reply;
  }
}

/** The field of `value` as an object; an empty one when it is anything else. */
export function objectIn(value: unknown, field: string): JsonObject {
  if (typeof value !== "object" || value === null) return {};
  const found = Object.hasOwn(value, field) ? (value as JsonObject)[field] : undefined;
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as JsonObject) : {};
}

/** Only the first segment, and two of `sys/`: the rest may be the name of a secret. */
function placeOf(path: string): string {
  const segments = path.split("/");
  return segments.slice(0, segments[0] === "sys" ? 2 : 1).join("/") + (segments.length > 2 ? "/..." : "");
}

function encodePath(path: string): string {
  return path.split("/").map(encodeSegment).join("/");
}

/** Like encodeURIComponent, which throws for half a surrogate pair. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.replace(/\p{Surrogate}/gu, "\ufffd"));
}
