import { parseAllDocuments } from "yaml";
import { isOurs, managersOf, ownerIn, ownersOf, ownerWords } from "../cluster/fieldOwners";
import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import { GO_YAML } from "../land/goYaml";
import { namedDifferences, type FieldDifference } from "./namedFields";

/** Where the cluster is not what Helm applied. */
export interface ObjectDrift {
  /** `StatefulSet openbao`. */
  readonly object: string;
  readonly field: string;
  readonly how: FieldDifference["how"];
  /** Who else wrote there, by the API server's record. */
  readonly by?: string;
}

export interface ManifestLook {
  readonly drift: readonly ObjectDrift[];
  /** Objects that were compared. */
  readonly compared: readonly string[];
  /** Objects of kinds that no step has a right to read. */
  readonly left: readonly string[];
}

/** The kinds that keep, expose, guard and configure the server: plural by apiVersion and kind. */
const PLURALS: Readonly<Record<string, string>> = {
  "v1 ConfigMap": "configmaps",
  "v1 Service": "services",
  "apps/v1 StatefulSet": "statefulsets",
  "policy/v1 PodDisruptionBudget": "poddisruptionbudgets",
  "networking.k8s.io/v1 NetworkPolicy": "networkpolicies",
  "cilium.io/v2 CiliumNetworkPolicy": "ciliumnetworkpolicies",
};
/** They write what the manifest says, or only status. */
const APPLIERS = /^(helm|helm-controller|kube-controller-manager)$/;

/**
 * Compares each object of a Helm manifest with the live one, in every field that the manifest names.
 * @throws Error that quotes nothing of the manifest, when it is not understood; KubeError.
 */
export async function manifestDrift(
  kube: KubeClient,
  namespace: string,
  manifest: string,
): Promise<ManifestLook> {
  const drift: ObjectDrift[] = [];
  const [compared, left]: [string[], string[]] = [[], []];
  for (const wanted of objectsOf(manifest)) {
    const object = `${wanted.kind} ${wanted.metadata?.name}`;
    const path = pathOf(wanted, namespace);
    if (path === undefined) {
      left.push(object);
      continue;
    }
    compared.push(object);
    const live = await kube.find<KubeObject>(path);
    if (live === undefined) drift.push({ object, field: "(all)", how: "gone" });
    else drift.push(...driftOf(object, wanted, live));
  }
  return { drift, compared, left };
}

function driftOf(object: string, wanted: KubeObject, live: KubeObject): ObjectDrift[] {
  const { metadata, status: _status, kind: _kind, apiVersion: _version, ...rest } = wanted as NamedObject;
  const { labels, annotations } = metadata ?? {};
  return namedDifferences({ metadata: { labels, annotations }, ...rest }, live).map(
    ({ field, within, how }) => {
      const by = otherWriter(live, within);
      return { object, field, how, ...(by !== undefined && { by }) };
    },
  );
}

type NamedObject = KubeObject & { readonly status?: unknown };

/** Of the field itself; where nobody else owns it, as after a removal, the newest other writer is named as such. */
function otherWriter(live: KubeObject, within: readonly string[]): string | undefined {
  const isOther = ({ manager }: { manager: string }) => !isOurs({ manager }) && !APPLIERS.test(manager);
  const owners = ownersOf(live, within).filter(isOther);
  if (owners.length > 0) return owners.map(ownerWords).join(", ");
  const others = managersOf(live).map(ownerIn).filter(isOther);
  const newest = others.sort((a, b) => (a.time < b.time ? 1 : -1))[0];
  return newest && `last other writer ${ownerWords(newest)}`;
}

/** API path, or undefined for what is not compared. */
function pathOf({ apiVersion = "", kind = "", metadata }: KubeObject, namespace: string): string | undefined {
  const plural = PLURALS[`${apiVersion} ${kind}`];
  const elsewhere = metadata?.namespace !== undefined && metadata.namespace !== namespace;
  if (plural === undefined || elsewhere || metadata?.name === undefined) return undefined;
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${namespace}/${plural}/${metadata.name}`;
}

function objectsOf(manifest: string): KubeObject[] {
  const documents = parseAllDocuments(manifest, GO_YAML);
  if (!Array.isArray(documents)) return [];
  if (documents.some(({ errors }) => errors.length > 0)) {
    throw new Error("the manifest that Helm recorded is not YAML that can be read");
  }
  return documents
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object): object is KubeObject => typeof object?.kind === "string");
}
