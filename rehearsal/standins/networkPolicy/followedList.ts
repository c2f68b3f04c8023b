import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import type { ApiServer } from "./apiServer";
import type { Followed } from "./runFollower";

/** The server is asked to end each watch after this long, so a dead connection never looks like a quiet one. */
const watchSeconds = 240;

interface WatchEvent<T> {
  readonly type: string;
  /** A Status in an ERROR event. */
  readonly object: T & { readonly code?: number; readonly message?: string };
}

/** A local copy of a collection, kept true by list and watch; lists again after anything but a clean end of a watch. */
export class FollowedList<T extends KubernetesObject> implements Followed {
  private objects = new Map<string, T>();
  private listed = false;
  private readonly stopping = new AbortController();
  private onChange: () => void = () => undefined;

  /**
   * @param path API path of the collection, such as "/api/v1/pods".
   * @param retryMs pause before it is listed again after a problem, in milliseconds.
   */
  constructor(
    private readonly api: ApiServer,
    private readonly path: string,
    private readonly retryMs = 1_000,
  ) {}

  get synced(): boolean {
    return this.listed;
  }

  items(): T[] {
    return [...this.objects.values()];
  }

  stop(): void {
    this.stopping.abort();
  }

  /**
   * Follows the collection until `stop`; problems are logged, then it is listed again.
   * @param onChange called after every list and every change.
   */
  async run(onChange: () => void): Promise<void> {
    this.onChange = onChange;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        let version = await this.relist();
        while (!signal.aborted) version = await this.watchFrom(version);
      } catch (error) {
        if (signal.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        console.error(`${this.path}: ${problem}; listing again in ${this.retryMs} ms`);
        await delay(this.retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async relist(): Promise<string> {
    const { signal } = this.stopping;
    const list = await this.api.send<KubernetesListObject<T>>({ path: this.path, signal });
    this.objects = new Map(list.items.map((object) => [keyOf(object), object]));
    this.listed = true;
    this.onChange();
    return list.metadata?.resourceVersion ?? "";
  }

  /** Applies changes until the watch ends cleanly. @returns the version to go on from. @throws if it cannot go on. */
  private async watchFrom(resourceVersion: string): Promise<string> {
    let version = resourceVersion;
    const query = {
      watch: "true",
      resourceVersion,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(watchSeconds),
    };
    const { signal } = this.stopping;
    const refused: string[] = [];
    await this.api.lines(
      { path: this.path, query, signal, timeoutMs: (watchSeconds + 30) * 1000 },
      (line) => {
        const { type, object } = JSON.parse(line) as WatchEvent<T>;
        if (type === "ERROR") refused.push(`the watch ended with ${object.code}: ${object.message}`);
        else version = this.apply(type, object) ?? version;
      },
    );
    if (refused.length > 0) throw new Error(refused.join("; "));
    return version;
  }

  private apply(type: string, object: T): string | undefined {
    if (type !== "BOOKMARK") {
      if (type === "DELETED") this.objects.delete(keyOf(object));
      else this.objects.set(keyOf(object), object);
      this.onChange();
    }
    return object.metadata?.resourceVersion;
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}
