import { KubeConfig } from "./kubernetesLibrary";
import { OUR_MANAGERS, type ManagedFields } from "./fieldOwners";
import { setTimeout as delay } from "node:timers/promises";
import { mutating } from "./failpoint";
import { isPassing, KubeError, KubeTransport, type ApiCall, type Query } from "./kubeTransport";

export { isPassing, KubeError };

/** The name under which every write of this program is recorded in `metadata.managedFields`. */
export const FIELD_MANAGER = OUR_MANAGERS.calls;

const READ_ATTEMPTS = 4;

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: ManagedFields[];
    creationTimestamp?: string | Date;
    deletionTimestamp?: string | Date;
  };
}

/** A name, or the labels that one object has. */
export type Which = string | { readonly labelSelector: string };

export interface WaitOptions {
  /** What is waited for, in words: it is shown when the time is over. */
  readonly what: string;
  /** Bound in seconds. */
  readonly timeoutSeconds: number;
  /** Ends the wait early, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The few verbs that this program needs, on plain API paths. Reads are retried, writes are sent once. */
export interface KubeClient {
  readonly config: KubeConfig;
  /** @throws KubeError for every status of 400 and above, and when no answer comes. */
  get<T extends KubeObject>(path: string, query?: Query): Promise<T>;
  /** Like get, with `undefined` for "not found". */
  find<T extends KubeObject>(path: string, query?: Query): Promise<T | undefined>;
  /** @throws KubeError as get does, and for an answer that is no list. */
  list<T extends KubeObject>(path: string, query?: Query): Promise<T[]>;
  /** A read that is not JSON, such as a pod's log. */
  text(path: string, query?: Query): Promise<string>;
  create<T extends KubeObject>(path: string, body: T, query?: Query): Promise<T>;
  /** PUT; carries the body's `resourceVersion` as precondition when it has one. */
  replace<T extends KubeObject>(path: string, body: T): Promise<T>;
  mergePatch<T extends KubeObject>(path: string, body: object, query?: Query): Promise<T>;
  remove(path: string, body?: object): Promise<void>;
  /**
   * Waits, by list and watch, until `done` is true of the one object that `which` names, or whose labels it tells
   * (undefined = absent).
   * @throws Error that names what was waited for and what was seen last.
   */
  waitFor<T extends KubeObject>(
    collection: string,
    which: Which,
    done: (object: T | undefined) => boolean,
    options: WaitOptions,
  ): Promise<T | undefined>;
}

/** Loads the kubeconfig as kubectl does and picks `context` in it (default: the current one). */
export function loadKubeConfig(context?: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  if (context !== undefined) {
    const names = config.getContexts().map((c) => c.name);
    if (!names.includes(context)) {
      throw new Error(
        `context "${context}" is not in the kubeconfig (found: ${names.join(", ") || "none"}); set "openbao-migration:context" to one of them`,
      );
    }
    config.setCurrentContext(context);
  }
  return config;
}

/** A client that can be closed for good. */
export function kubeClient(config: KubeConfig): KubeClient & { close(): void } {
  return new RestClient(config, new KubeTransport(config));
}

class RestClient implements KubeClient {
  constructor(
    readonly config: KubeConfig,
    private readonly transport: KubeTransport,
  ) {}

  close(): void {
    this.transport.close();
  }

  async get<T extends KubeObject>(path: string, query?: Query): Promise<T> {
    return JSON.parse(await this.read({ method: "GET", path, ...(query && { query }) })) as T;
  }

  async find<T extends KubeObject>(path: string, query?: Query): Promise<T | undefined> {
    try {
      return await this.get<T>(path, query);
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(path: string, query?: Query): Promise<T[]> {
    return itemsOf<T>(path, await this.get(path, query));
  }

  text(path: string, query?: Query): Promise<string> {
    return this.read({ method: "GET", path, ...(query && { query }) });
  }

  create<T extends KubeObject>(path: string, body: T, query: Query = {}): Promise<T> {
    return this.write({ method: "POST", path, body, query: { fieldManager: FIELD_MANAGER, ...query } });
  }

  replace<T extends KubeObject>(path: string, body: T): Promise<T> {
    return this.write({ method: "PUT", path, body, query: { fieldManager: FIELD_MANAGER } });
  }

  mergePatch<T extends KubeObject>(path: string, body: object, query: Query = {}): Promise<T> {
    const contentType = "application/merge-patch+json";
    return this.write({
      method: "PATCH",
      path,
      body,
      contentType,
      query: { fieldManager: FIELD_MANAGER, ...query },
    });
  }

  async remove(path: string, body?: object): Promise<void> {
    await this.write({ method: "DELETE", path, ...(body && { body }) });
  }

  async waitFor<T extends KubeObject>(
    collection: string,
    which: Which,
    done: (object: T | undefined) => boolean,
    options: WaitOptions,
  ): Promise<T | undefined> {
    const end = Date.now() + options.timeoutSeconds * 1000;
    const query = typeof which === "string" ? { fieldSelector: `metadata.name=${which}` } : which;
    let last = "nothing yet";
    while (Date.now() < end) {
      options.signal?.throwIfAborted();
      const answer = await this.listOne<T>(collection, query);
      if (answer instanceof KubeError) {
        last = answer.message;
        await delay(200);
        continue;
      }
      const seen = answer.items[0];
      if (done(seen)) return seen;
      last = describe(seen);
      const since = answer.metadata?.resourceVersion ?? "";
      const found = await this.watchOnce<T>(
        collection,
        { ...query, resourceVersion: since },
        done,
        end,
        options.signal,
      );
      if (found.done) return found.object;
      // A watch that ended at once (410, proxy) must not become a tight loop.
      await delay(200);
    }
    throw new KubeError(
      `waited ${options.timeoutSeconds} s for ${options.what}; last seen: ${last}`,
      0,
      "Timeout",
    );
  }

  /** An API server that is away for a while ends no wait before its bound: its failure is what was seen. */
  private async listOne<T extends KubeObject>(
    collection: string,
    query: Query,
  ): Promise<(KubeObject & { items: T[] }) | KubeError> {
    try {
      return await this.get<KubeObject & { items: T[] }>(collection, query);
    } catch (error) {
      if (isPassing(error)) return error as KubeError;
      throw error;
    }
  }

  private async watchOnce<T extends KubeObject>(
    collection: string,
    which: Query,
    done: (object: T | undefined) => boolean,
    end: number,
    signal?: AbortSignal,
  ): Promise<{ done: boolean; object?: T }> {
    const seconds = Math.max(1, Math.min(30, Math.ceil((end - Date.now()) / 1000)));
    const query = { watch: "1", ...which, timeoutSeconds: String(seconds) };
    let result: { done: boolean; object?: T } = { done: false };
    try {
      await this.transport.lines(
        {
          ...{ method: "GET", path: collection, query, timeoutMs: seconds * 1000 + 5000 },
          ...(signal && { signal }),
        },
        (line) => {
          const event = JSON.parse(line) as { type: string; object: T };
          if (event.type === "ERROR") return false;
          if (event.type === "BOOKMARK") return true;
          const object = event.type === "DELETED" ? undefined : event.object;
          if (!done(object)) return true;
          result = object === undefined ? { done: true } : { done: true, object };
          return false;
        },
      );
    } catch (error) {
      // A broken watch is not an outcome: the caller lists again until its own bound.
      if (!(error instanceof KubeError)) throw error;
    }
    return result;
  }

  private async read(sent: ApiCall): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transport.send(sent);
      } catch (error) {
        if (!isPassing(error) || attempt === READ_ATTEMPTS) throw error;
        await delay(150 * 2 ** attempt);
      }
    }
  }

  private async write<T>(sent: ApiCall): Promise<T> {
    const answer = await mutating(`${sent.method} ${sent.path}`, () => this.transport.send(sent));
    return JSON.parse(answer) as T;
  }
}

/**
 * The items of a list's answer. A proxy's page, or another kind of object, is no empty list: whoever looks for
 * hazards in it would find none.
 * @throws KubeError
 */
export function itemsOf<T extends KubeObject>(path: string, answer: unknown): T[] {
  const { kind, items } = (answer ?? {}) as { kind?: unknown; items?: unknown };
  if (Array.isArray(items)) return items as T[];
  // Go writes a list of nothing as null in some API servers.
  if (items === null && typeof kind === "string" && kind.endsWith("List")) return [];
  throw new KubeError(
    `GET ${path}: the answer holds no "items", expected a list; is a proxy between here and the API server?`,
    200,
    "NoList",
  );
}

function describe(object: KubeObject | undefined): string {
  if (object === undefined) return "absent";
  const status = (object as { status?: unknown }).status;
  return JSON.stringify(status ?? {}).slice(0, 400);
}
