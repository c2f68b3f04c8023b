import { once } from "node:events";
import { watch } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const retryMs = 1_000;

/**
 * Addresses that the CNI has just given to pods, from the result cache that libcni keeps. The kubelet reports an address
 * one to two seconds after the container started: without this a pod would be free of its policies for that long, and
 * the connections that it made meanwhile would stay as established ones.
 */
export class EarlyAddresses {
  /** By file name, since that is all a removal tells. */
  private readonly results = new Map<string, { uid: string; address: string }>();
  private readonly stopping = new AbortController();

  /** @param folder libcni's result folder, such as /var/lib/cni/results; it need not be there yet. */
  constructor(private readonly folder: string) {}

  /** Always true: these addresses come on top of the reported ones. */
  readonly synced = true;

  /** Addresses by pod uid. */
  byUid(): Map<string, string> {
    return new Map([...this.results.values()].map(({ uid, address }) => [uid, address]));
  }

  stop(): void {
    this.stopping.abort();
  }

  /** Follows the folder until `stop`; waits for it while it is not there. */
  async run(onChange: () => void): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.follow(onChange);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT")
          console.error(`${this.folder}: ${String(error)}`);
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async follow(onChange: () => void): Promise<void> {
    // Watching begins before the first reading, so that no file falls between the two.
    const watcher = watch(this.folder, { signal: this.stopping.signal });
    let reading = Promise.resolve();
    const enqueue = (name: string): void => {
      reading = reading.then(() => this.read(name)).then(onChange);
    };
    watcher.on("change", (_event, name) => enqueue(String(name)));
    const ended = once(watcher, "close");
    try {
      for (const name of await readdir(this.folder)) enqueue(name);
      await ended;
    } finally {
      watcher.close();
    }
  }

  private async read(name: string): Promise<void> {
    const text = await readFile(join(this.folder, name), "utf8").catch(() => "");
    const result = parseCniResult(text);
    if (result) this.results.set(name, result);
    else this.results.delete(name);
  }
}

/** The pod and its IPv4 address in one cached CNI result; undefined for one that is half written or of another kind. */
export function parseCniResult(text: string): { uid: string; address: string } | undefined {
  try {
    const { cniArgs, result } = JSON.parse(text) as {
      cniArgs?: [string, string][];
      result?: { ips?: { address?: string }[] };
    };
    const uid = cniArgs?.find(([key]) => key === "K8S_POD_UID")?.[1];
    const address = result?.ips?.map((ip) => ip.address?.split("/")[0] ?? "").find((ip) => ip.includes("."));
    return uid && address ? { uid, address } : undefined;
  } catch {
    return undefined;
  }
}
