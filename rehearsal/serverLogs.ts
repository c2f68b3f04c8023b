import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";

const LINES = 5000;

/** Writes the newest lines of each server's log into `folder`, one file a pod, for a run whose end is not understood. */
export async function keepServerLogs(kube: KubeClient, namespace: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const pods = await kube.list<KubeObject>(path, { labelSelector: "component=server" });
  for (const { metadata } of pods) {
    const name = metadata?.name ?? "";
    const text = await kube.text(`${path}/${encodeURIComponent(name)}/log`, { tailLines: String(LINES) });
    writeFileSync(join(folder, `${name}.log`), text, { mode: 0o600 });
  }
}
