import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { KubeError, type KubeClient } from "../../components/cluster/kubeClient";
import { KubeTransport } from "../../components/cluster/kubeTransport";

const SILENCE_MS = 30_000;
const OVERLAP_SECONDS = 5;
const REOPEN_MS = 250;

/** A pod's log that is being copied to a file of ours. */
export interface FollowedPodLog {
  /** Says that the container has ended: the next stream that is read to its end was the last. */
  containerEnded(): void;
  /** Waits until the log has ended, `seconds` at most. @returns all lines so far. @throws what broke the copying. */
  finish(seconds: number): Promise<string[]>;
}

/**
 * Copies a container's log to `file` (0600) as it comes, so that the kubelet's rotation loses nothing. A stream that
 * breaks is opened again a few seconds back: lines may come twice, never not at all.
 * @param path of the pod's log in the API.
 * @param onLine sees each line; true says that nothing comes after it.
 */
export function followPodLog(
  kube: KubeClient,
  path: string,
  file: string,
  onLine: (line: string) => boolean,
): FollowedPodLog {
  const transport = new KubeTransport(kube.config);
  const target = openSync(file, "a", 0o600);
  let over = false;
  let ended = false;
  let newestMs = 0;
  const take = (line: string): boolean => {
    if (over) return false;
    newestMs = Date.now();
    writeSync(target, `${line}\n`);
    over = onLine(line);
    return !over;
  };
  const copy = async (): Promise<void> => {
    while (!over) {
      const back = newestMs === 0 ? 0 : Math.ceil((Date.now() - newestMs) / 1000) + OVERLAP_SECONDS;
      const query = { follow: "true", ...(back > 0 && { sinceSeconds: String(back) }) };
      const isLast = ended;
      try {
        await transport.lines({ method: "GET", path, query, timeoutMs: SILENCE_MS }, take);
        if (isLast) over = true;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        // A pod that is gone has no more to say; any other broken stream is opened again.
        if (error.status === 404) over = true;
      }
      if (!over) await delay(REOPEN_MS);
    }
  };
  const copied = copy();
  // Its failure is thrown by finish(), which may be called long after.
  copied.catch(() => undefined);
  return {
    containerEnded: () => {
      ended = true;
    },
    finish: async (seconds) => {
      const bound = new AbortController();
      const waited = delay(seconds * 1000, undefined, { signal: bound.signal }).catch(() => undefined);
      try {
        await Promise.race([copied, waited]);
      } finally {
        over = true;
        bound.abort();
        closeSync(target);
      }
      return readFileSync(file, "utf8").split("\n");
    },
  };
}
