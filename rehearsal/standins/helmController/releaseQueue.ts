import { finalizer, type HelmRelease } from "./helmRelease";
import type { Next } from "./reconcileRelease";

const longestBackoffMs = 60_000;

interface Entry {
  running: boolean;
  again: boolean;
  failures: number;
  seen: string;
  timer?: NodeJS.Timeout;
}

/** What of a HelmRelease makes a reconcile necessary; its status does not. */
export function trigger({ metadata }: HelmRelease): string {
  const asked = Object.entries(metadata.annotations ?? {}).filter(([key]) =>
    key.startsWith("reconcile.fluxcd.io/"),
  );
  const held = metadata.finalizers?.includes(finalizer) ?? false;
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    metadata.deletionTimestamp ?? null,
    held,
    asked.sort(),
  ]);
}

/** One worker for each HelmRelease: never two passes over the same one at a time, a change while one runs adds one. */
export class ReleaseQueue {
  private readonly entries = new Map<string, Entry>();
  private stopped = false;
  private idle: (() => void) | undefined;

  constructor(
    private readonly reconcile: (namespace: string, name: string) => Promise<Next>,
    private readonly log: (line: string) => void,
    private readonly firstBackoffMs = 750,
  ) {}

  /** Tells of a listed or changed HelmRelease. */
  changed(release: HelmRelease): void {
    const { namespace, name } = release.metadata;
    const key = `${namespace}/${name}`;
    const entry = this.entries.get(key) ?? { running: false, again: false, failures: 0, seen: "" };
    this.entries.set(key, entry);
    const now = trigger(release);
    if (entry.seen === now) return;
    entry.seen = now;
    entry.failures = 0;
    this.schedule(key, entry, 0);
  }

  /** Starts nothing more and resolves when no pass is running. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const entry of this.entries.values()) clearTimeout(entry.timer);
    if (![...this.entries.values()].some(({ running }) => running)) return;
    await new Promise<void>((resolve) => (this.idle = resolve));
  }

  private schedule(key: string, entry: Entry, ms: number): void {
    if (this.stopped) return;
    clearTimeout(entry.timer);
    if (entry.running) entry.again = true;
    else entry.timer = setTimeout(() => void this.work(key, entry), ms);
  }

  private async work(key: string, entry: Entry): Promise<void> {
    const [namespace = "", name = ""] = key.split("/");
    entry.running = true;
    entry.again = false;
    let next: Next;
    try {
      next = await this.reconcile(namespace, name);
    } catch (error) {
      this.log(`${key}: ${(error as Error).message}`);
      next = { kind: "retry" };
    }
    entry.running = false;
    if (this.stopped) {
      if (![...this.entries.values()].some(({ running }) => running)) this.idle?.();
      return;
    }
    entry.failures = next.kind === "retry" ? entry.failures + 1 : 0;
    if (entry.again) this.schedule(key, entry, 0);
    else if (next.kind === "after") this.schedule(key, entry, next.ms);
    else if (next.kind === "retry") {
      this.schedule(key, entry, Math.min(this.firstBackoffMs * 2 ** (entry.failures - 1), longestBackoffMs));
    }
  }
}
