import type { KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import type { IgnoreRule } from "./helmRelease";

type Json = Record<string, unknown>;

const fieldManager = "helm-controller";

/** The objects of a release's manifest, which holds no hooks, as its text has them. */
export function manifestTexts(manifest: string): string[] {
  return manifest.split(/^---$/m).filter((text) => /^kind:/m.test(text));
}

/** Whether two objects differ in more than what the server keeps for itself and the ignored paths. */
export function differs(live: KubernetesObject, wanted: KubernetesObject, ignored: string[]): boolean {
  const bare = (object: KubernetesObject) => {
    const copy = structuredClone(object) as unknown as Json;
    delete copy["status"];
    for (const key of ["managedFields", "resourceVersion", "generation"])
      delete (copy["metadata"] as Json)[key];
    for (const path of ignored) removeAt(copy, path);
    return JSON.stringify(copy);
  };
  return bare(live) !== bare(wanted);
}

/** Removes what a JSON pointer such as `/spec/replicas` names, if it is there. */
function removeAt(object: Json, pointer: string): void {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = parts.pop();
  let at: unknown = object;
  for (const part of parts) at = (at as Json | undefined)?.[part];
  if (last !== undefined && typeof at === "object" && at !== null) delete (at as Json)[last];
}

/** Names of the manifest's objects that the cluster holds differently, or that are gone; `correct` puts them right. */
export async function detectDrift(
  objects: KubernetesObjectApi,
  manifest: string,
  namespace: string,
  ignore: IgnoreRule[],
  correct: boolean,
): Promise<string[]> {
  const { loadAllYaml, PatchStrategy } = await import("@kubernetes/client-node");
  const drifted: string[] = [];
  // The client's own loader: as the client sends and receives them.
  for (const wanted of manifestTexts(manifest).flatMap((text) => loadAllYaml(text) as KubernetesObject[])) {
    const paths = ignore.filter((rule) => targets(rule, wanted)).flatMap((rule) => rule.paths);
    if (paths.includes("")) continue;
    const body = {
      ...wanted,
      metadata: { ...wanted.metadata, namespace: wanted.metadata?.namespace ?? namespace },
    };
    const apply = (dryRun?: string) =>
      objects.patch(body, undefined, dryRun, fieldManager, true, PatchStrategy.ServerSideApply);
    const live = await objects
      .read(body as Parameters<KubernetesObjectApi["read"]>[0])
      .catch((error: { code?: number }) => (error.code === 404 ? undefined : Promise.reject(error)));
    if (live && !differs(live, await apply("All"), paths)) continue;
    drifted.push(
      `${wanted.kind}/${body.metadata.namespace}/${wanted.metadata?.name} ${live ? "changed" : "removed"}`,
    );
    if (correct) await apply();
  }
  return drifted;
}

function targets({ target }: IgnoreRule, object: KubernetesObject): boolean {
  if (!target) return true;
  const matches = (pattern: string | undefined, value: string | undefined) =>
    pattern === undefined || new RegExp(`^(?:${pattern})$`).test(value ?? "");
  return matches(target.kind, object.kind) && matches(target.name, object.metadata?.name);
}
