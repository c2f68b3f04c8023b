import { EventEmitter } from "node:events";
import {
  itemsOf,
  FIELD_MANAGER,
  KubeError,
  type KubeClient,
  type KubeObject,
  type WaitOptions,
  type Which,
} from "../../components/cluster/kubeClient";
import type { Query } from "../../components/cluster/kubeTransport";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { afterUpdate } from "./fakeFields";
import { collectionsOf, copied, isCollection, mergePatch, selects, type Json } from "./fakeKubeRules";

export interface RecordedWrite {
  readonly verb: "create" | "replace" | "mergePatch" | "remove";
  readonly path: string;
  readonly body?: unknown;
  readonly query?: Query;
}

/** Answers a request in place of the store; `undefined` leaves it to the store. */
export type Answer = (path: string, query: Query, body: unknown) => unknown;

/**
 * The API server's rules that our programs lean on, in memory: collections, selectors, 404 and 409, resourceVersion
 * and uid preconditions, merge patches, `/scale`, dry runs, and the record of field owners of objects that have one.
 * Every write is kept in `writes`.
 */
export class FakeKube implements KubeClient {
  readonly config = new KubeConfig();
  /** Every write in its order, dry runs included. */
  readonly writes: RecordedWrite[] = [];
  /** Every path that was read. */
  readonly reads: string[] = [];
  private readonly objects = new Map<string, Json>();
  private readonly served = new Set<string>();
  private readonly answers: { verb: string; path: RegExp | string; answer: Answer }[] = [];
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly reactions: ((write: RecordedWrite) => void)[] = [];
  private revision = 100;
  private seen = 0;

  /** Stores an object at its own path, as if it had always been there. */
  put(path: string, object: KubeObject & Record<string, unknown>): this {
    this.store(path, copied(object) as Json);
    return this;
  }

  /** What is stored at `path`, or undefined. */
  peek<T = Record<string, unknown>>(path: string): T | undefined {
    return copied(this.objects.get(path)) as T | undefined;
  }

  /** Drops an object without recording a write, as another actor would. */
  drop(path: string): this {
    this.objects.delete(path);
    this.tell();
    return this;
  }

  /** Makes a collection of a custom kind answer an empty list in place of 404, as an installed CRD does. */
  serve(collection: string): this {
    this.served.add(collection);
    return this;
  }

  /** Answers matching requests itself: `verb` is a KubeClient method's name, or "*". The newest one counts. */
  answer(verb: string, path: RegExp | string, answer: Answer): this {
    this.answers.unshift({ verb, path, answer });
    return this;
  }

  /** Fails matching requests with an HTTP status (0 = no answer at all). */
  fail(verb: string, path: RegExp | string, status: number, reason = "Planted"): this {
    return this.answer(verb, path, (asked) => {
      throw new KubeError(`${asked}: HTTP ${status} ${reason}`, status, reason);
    });
  }

  /** Runs after each write that was stored: the place of a controller in a test. */
  onWrite(reaction: (write: RecordedWrite) => void): this {
    this.reactions.push(reaction);
    return this;
  }

  async get<T extends KubeObject>(path: string, query: Query = {}): Promise<T> {
    this.reads.push(path);
    const answered = this.answered("get", path, query, undefined);
    if (answered !== undefined) return answered as T;
    const object = this.objects.get(path) ?? this.scaleOf(path);
    if (object !== undefined) return copied(object) as T;
    if (!isCollection(path) && !this.served.has(path)) throw notFound(path);
    const items = [...this.objects]
      .filter(([at, one]) => collectionsOf(at).includes(path) && selects(one, query))
      .map(([, one]) => copied(one));
    if (items.length === 0 && !isCollection(path, true) && !this.served.has(path)) throw notFound(path);
    return { metadata: { resourceVersion: String(this.revision) }, items } as unknown as T;
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

  async text(path: string, query: Query = {}): Promise<string> {
    this.reads.push(path);
    const answered = this.answered("text", path, query, undefined);
    if (answered === undefined) throw notFound(path);
    return String(answered);
  }

  async create<T extends KubeObject>(path: string, body: T, query: Query = {}): Promise<T> {
    this.record({ verb: "create", path, body, query });
    const answered = this.answered("create", path, query, body);
    if (answered !== undefined) return answered as T;
    const name = body.metadata?.name ?? "";
    const at = `${path}/${name}`;
    if (this.objects.has(at)) throw new KubeError(`POST ${path}: "${name}" exists`, 409, "AlreadyExists");
    const namespace = /\/namespaces\/([^/]+)\//.exec(`${path}/`)?.[1];
    const made = copied(body) as Json;
    made.metadata = {
      ...(namespace !== undefined && path.includes("/namespaces/") && { namespace }),
      ...made.metadata,
    };
    return this.written({ verb: "create", path, body, query }, at, made) as T;
  }

  async replace<T extends KubeObject>(path: string, body: T): Promise<T> {
    this.record({ verb: "replace", path, body });
    const answered = this.answered("replace", path, {}, body);
    if (answered !== undefined) return answered as T;
    const old = this.existing(path, body.metadata?.resourceVersion, body.metadata?.uid);
    const next = copied(body) as Json;
    next.metadata = { ...old.metadata, ...next.metadata };
    return this.written({ verb: "replace", path, body }, path, next) as T;
  }

  async mergePatch<T extends KubeObject>(path: string, body: object, query: Query = {}): Promise<T> {
    this.record({ verb: "mergePatch", path, body, query });
    const answered = this.answered("mergePatch", path, query, body);
    if (answered !== undefined) return answered as T;
    const at = path.replace(/\/(?:scale|status)$/, "");
    const wanted = (body as KubeObject).metadata;
    const old = this.existing(at, wanted?.resourceVersion, wanted?.uid);
    return this.written({ verb: "mergePatch", path, body, query }, at, mergePatch(old, body) as Json) as T;
  }

  async remove(path: string, body?: object): Promise<void> {
    const write: RecordedWrite = { verb: "remove", path, ...(body && { body }) };
    this.record(write);
    if (this.answered("remove", path, {}, body) !== undefined) return;
    const wanted = (body as { preconditions?: { uid?: string; resourceVersion?: string } } | undefined)
      ?.preconditions;
    this.existing(path, wanted?.resourceVersion, wanted?.uid);
    this.objects.delete(path);
    this.tell();
    for (const react of this.reactions) react(write);
  }

  async waitFor<T extends KubeObject>(
    collection: string,
    which: Which,
    done: (object: T | undefined) => boolean,
    options: WaitOptions,
  ): Promise<T | undefined> {
    const look = async () =>
      typeof which === "string"
        ? this.find<T>(`${collection}/${which}`)
        : (await this.list<T>(collection, { labelSelector: which.labelSelector }))[0];
    const end = Date.now() + options.timeoutSeconds * 1000;
    options.signal?.addEventListener("abort", () => this.tell(), { once: true });
    for (;;) {
      options.signal?.throwIfAborted();
      // Taken before the look: a change between look and wait must not be slept through.
      const mark = this.seen;
      const seen = await look();
      if (done(seen)) return seen;
      const left = end - Date.now();
      if (left <= 0 || !(await this.changed(mark, left))) {
        throw new KubeError(
          `waited ${options.timeoutSeconds} s for ${options.what}; last seen: ${JSON.stringify(seen ?? "absent").slice(0, 400)}`,
          0,
          "Timeout",
        );
      }
    }
  }

  private changed(mark: number, milliseconds: number): Promise<boolean> {
    if (mark !== this.seen) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (changed: boolean) => () => {
        clearTimeout(timer);
        this.changes.off("change", onChange);
        resolve(changed);
      };
      const onChange = settle(true);
      const timer = setTimeout(settle(false), milliseconds);
      this.changes.once("change", onChange);
    });
  }

  private tell(): void {
    this.seen++;
    this.changes.emit("change");
  }

  private record(write: RecordedWrite): void {
    this.writes.push(copied(write));
  }

  private answered(verb: string, path: string, query: Query, body: unknown): unknown {
    for (const one of this.answers) {
      const fits = typeof one.path === "string" ? one.path === path : one.path.test(path);
      if (!fits || (one.verb !== "*" && one.verb !== verb)) continue;
      const answer = one.answer(path, query, body);
      if (answer !== undefined) return copied(answer);
    }
    return undefined;
  }

  private existing(path: string, resourceVersion?: string, uid?: string): Json {
    const old = this.objects.get(path);
    if (old === undefined) throw notFound(path);
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      throw new KubeError(`${path}: the object has been modified`, 409, "Conflict");
    }
    if (uid !== undefined && uid !== old.metadata?.uid) {
      throw new KubeError(`${path}: uid precondition failed`, 409, "Conflict");
    }
    return old;
  }

  private written(write: RecordedWrite, at: string, next: Json): unknown {
    if (write.query?.dryRun !== undefined) return write.verb === "mergePatch" ? copied(next) : next;
    const old = this.objects.get(at);
    if (old !== undefined && next.metadata?.managedFields !== undefined)
      next.metadata.managedFields = afterUpdate(old, next, write.query?.["fieldManager"] ?? FIELD_MANAGER);
    this.store(at, next);
    for (const react of this.reactions) react(write);
    return copied(this.objects.get(at) ?? next);
  }

  private store(at: string, object: Json): void {
    const old = this.objects.get(at);
    const changedSpec = old !== undefined && JSON.stringify(old.spec) !== JSON.stringify(object.spec);
    const generation =
      (old?.metadata?.generation ?? object.metadata?.generation ?? 1) + (changedSpec ? 1 : 0);
    object.metadata = {
      creationTimestamp: new Date().toISOString(),
      uid: `uid-${this.revision}`,
      name: decodeURIComponent(at.split("/").pop()!),
      ...object.metadata,
      generation,
      resourceVersion: String(++this.revision),
    };
    this.objects.set(at, object);
    this.tell();
  }

  private scaleOf(path: string): Json | undefined {
    if (!path.endsWith("/scale")) return undefined;
    const parent = this.objects.get(path.slice(0, -"/scale".length));
    if (parent === undefined) return undefined;
    const replicas = (parent.spec as { replicas?: number } | undefined)?.replicas ?? 0;
    return { kind: "Scale", metadata: parent.metadata, spec: { replicas } } as Json;
  }
}

function notFound(path: string): KubeError {
  return new KubeError(`GET ${path}: HTTP 404 NotFound`, 404, "NotFound");
}
