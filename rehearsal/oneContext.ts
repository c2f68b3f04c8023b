import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubeClient, loadKubeConfig } from "../components/cluster/kubeClient";
import type { KubeConfig } from "../components/cluster/kubernetesLibrary";
import { LOAD_NAMESPACE } from "./load/clientObjects";
import { refuseForeign, SOURCE_NAMESPACE } from "./source/sourceCluster";

interface Named {
  readonly name: string;
}

interface Written {
  readonly clusters: readonly Named[];
  readonly users: readonly Named[];
  readonly contexts: readonly Named[];
  readonly [field: string]: unknown;
}

/**
 * Writes a kubeconfig (mode 0600) that holds the current context of `config` and nothing else. Whatever a rehearsal
 * starts gets this one: Helm and the stand-ins take the current context, which in the user's file may be production.
 */
export function writeOneContext(config: KubeConfig, file: string): void {
  const all = JSON.parse(config.exportConfig()) as Written;
  const name = config.getCurrentContext();
  const context = config.getContextObject(name);
  const only = (list: readonly Named[], wanted: string | undefined) =>
    list.filter((one) => one.name === wanted);
  const written: Written = {
    ...all,
    "current-context": name,
    contexts: only(all.contexts, name),
    clusters: only(all.clusters, context?.cluster),
    users: only(all.users, context?.user),
  };
  writeFileSync(file, JSON.stringify(written), { mode: 0o600, flag: "wx" });
}

/** Looked at before anything is built or written: a wrong name costs nothing. */
export async function useOwnCluster(context: string, runDir: string): Promise<void> {
  const config = loadKubeConfig(context);
  const file = join(runDir, "kubeconfig");
  writeOneContext(config, file);
  process.env["KUBECONFIG"] = file;
  for (const name of [SOURCE_NAMESPACE, LOAD_NAMESPACE]) await refuseForeign(kubeClient(config), name);
}
