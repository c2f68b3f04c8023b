import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";

const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SERVED_SECONDS = 30;

type Definition = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };

/**
 * Puts the definitions of a folder into the cluster, in place of those of the same name (the rehearsal's small ones),
 * and waits until each is served (30 s). Objects of theirs stay.
 */
export async function putDefinitions(kube: KubeClient, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const file of readdirSync(folder).filter((one) => one.endsWith(".yaml"))) {
    const wanted = parse(readFileSync(join(folder, file), "utf8")) as Definition;
    const name = wanted.metadata?.name ?? "";
    const there = await kube.find<Definition>(`${PATH}/${name}`);
    if (there === undefined) await kube.create(PATH, wanted);
    else {
      const resourceVersion = there.metadata?.resourceVersion ?? "";
      await kube.replace(`${PATH}/${name}`, {
        ...wanted,
        metadata: { ...wanted.metadata, resourceVersion },
      });
    }
    names.push(name);
  }
  for (const name of names) {
    await kube.waitFor<Definition>(
      PATH,
      name,
      (seen) =>
        seen?.status?.conditions?.some((one) => one.type === "Established" && one.status === "True") ?? false,
      { what: `definition ${name} to be served`, timeoutSeconds: SERVED_SECONDS },
    );
  }
  return names;
}
