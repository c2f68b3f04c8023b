import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";

const BYTES = 16 * 1024 * 1024;

/** Log of the server's process that runs, from its start, at most 16 MiB. */
export function serverLog(kube: KubeClient, namespace: string, pod: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log`;
  return kube.text(path, { limitBytes: String(BYTES) });
}

/** Writes each server's log into `folder`, one file a pod, for a run whose end is not understood. */
export async function keepServerLogs(kube: KubeClient, namespace: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const pods = await kube.list<KubeObject>(path, { labelSelector: "component=server" });
  for (const { metadata } of pods) {
    const name = metadata?.name ?? "";
    writeFileSync(join(folder, `${name}.log`), await serverLog(kube, namespace, name), { mode: 0o600 });
  }
}
