import { CustomObjectsApi, Watch, type KubeConfig } from "@kubernetes/client-node";
import { helmReleaseApi, type HelmRelease } from "./helmRelease";

interface HelmReleaseList {
  metadata: { resourceVersion: string };
  items: HelmRelease[];
}

// The server ends a watch after this time, so one over a dead connection does not stay unnoticed for longer.
const watchSeconds = 240;
const firstRetryMs = 250;
const longestRetryMs = 5_000;

/**
 * Calls `onChange` for every HelmRelease in all namespaces: once for each listed one, then at each change.
 * Lists again after any error. Ends when `signal` does.
 */
export async function watchHelmReleases(
  config: KubeConfig,
  signal: AbortSignal,
  onChange: (release: HelmRelease) => void,
  onListed: () => void,
): Promise<void> {
  const custom = config.makeApiClient(CustomObjectsApi);
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    try {
      const list = (await custom.listClusterCustomObject({ ...helmReleaseApi })) as HelmReleaseList;
      list.items.forEach(onChange);
      onListed();
      retryMs = firstRetryMs;
      let from: string | undefined = list.metadata.resourceVersion;
      while (from && !signal.aborted) from = await watchOnce(config, signal, from, onChange);
    } catch (error) {
      if (signal.aborted) return;
      console.error(`watch of HelmReleases: ${(error as Error).message}; listing again in ${retryMs} ms`);
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }
}

/** Follows changes until the server ends the watch; gives the version to go on from, or nothing to list again. */
async function watchOnce(
  config: KubeConfig,
  signal: AbortSignal,
  from: string,
  onChange: (release: HelmRelease) => void,
): Promise<string | undefined> {
  const { group, version, plural } = helmReleaseApi;
  let latest: string | undefined = from;
  await new Promise<void>((resolve, reject) => {
    const stop = new AbortController();
    const query = { resourceVersion: from, timeoutSeconds: watchSeconds, allowWatchBookmarks: true };
    const onEvent = (type: string, release: HelmRelease) => {
      if (type === "ERROR") {
        latest = undefined;
        return;
      }
      latest = release.metadata.resourceVersion;
      if (type !== "BOOKMARK") onChange(release);
    };
    const request = new Watch(config).watch(
      `/apis/${group}/${version}/${plural}`,
      query,
      onEvent,
      (error) => {
        stop.abort();
        if (error && !signal.aborted) reject(error instanceof Error ? error : new Error(String(error)));
        else resolve();
      },
    );
    signal.addEventListener("abort", () => void request.then((open) => open.abort()), {
      signal: stop.signal,
    });
  });
  return latest;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
