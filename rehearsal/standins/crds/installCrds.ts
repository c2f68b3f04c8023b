import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiextensionsV1Api, KubeConfig, V1CustomResourceDefinition } from "@kubernetes/client-node";
import type { KubeClient } from "../../../components/cluster/kubeClient";
import { OWNED_LABEL } from "../../source/sourceCluster";

const establishedMs = 20_000;
const pollMs = 100;
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/**
 * Installs the definitions of a folder (default: this one, Flux's) that the cluster lacks, and waits until each is served (20 s).
 * A definition that is there, the real one above all, stays as it is. Returns the names of those it made.
 * @throws when one is not established in time.
 */
export async function installCrds(config: KubeConfig, folder = __dirname): Promise<string[]> {
  // Most of what imports this file never comes here, and the whole library takes a second to load.
  const { ApiException, ApiextensionsV1Api, loadYaml } = await import("@kubernetes/client-node");
  const api = config.makeApiClient(ApiextensionsV1Api);
  const made: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    // The client's own loader: it renames fields such as x-kubernetes-validations to what the client sends.
    const body = loadYaml<V1CustomResourceDefinition>(readFileSync(join(folder, file), "utf8"));
    const name = body.metadata?.name ?? "";
    body.metadata = { ...body.metadata, labels: { ...body.metadata?.labels, [OWNED_LABEL]: "true" } };
    try {
      await api.createCustomResourceDefinition({ body });
      made.push(name);
    } catch (error) {
      if (!(error instanceof ApiException && error.code === 409)) throw error;
    }
    await established(api, name);
  }
  return made;
}

/** Tells whether the definition of HelmReleases is the one from here: then no helm-controller of the user's serves it. */
export async function helmReleasesAreOurs(kube: KubeClient): Promise<boolean> {
  const found = await kube.find(`${DEFINITIONS}/helmreleases.helm.toolkit.fluxcd.io`);
  return found?.metadata?.labels?.[OWNED_LABEL] !== undefined;
}

async function established(api: ApiextensionsV1Api, name: string): Promise<void> {
  const end = Date.now() + establishedMs;
  for (;;) {
    const { status } = await api.readCustomResourceDefinition({ name });
    const conditions = (status?.conditions ?? []).filter((condition) => condition.status === "True");
    if (conditions.some(({ type }) => type === "Established")) return;
    if (Date.now() > end) {
      const refused = status?.conditions?.find((condition) => condition.status === "False");
      throw new Error(
        `found definition "${name}" not established after ${establishedMs / 1000} s, expected it to be served: ${refused?.message ?? "no reason given"}`,
      );
    }
    await delay(pollMs);
  }
}
