import { parse, stringify } from "yaml";
import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import { record } from "../cluster/openBaoStatus";
import type { HelmRelease } from "../steps/world";
import {
  deployedOf,
  helmRecord,
  helmRevisions,
  isPending,
  secretsPath,
  type HelmName,
  type HelmRevision,
} from "./helmRecord";

/**
 * Stands for the pause, from step pause to the end: its annotations are those that the HelmRelease gets under Flux, and
 * it holds the values that single steps ask for. A Secret, since values can hold secrets.
 */
export const HELD_SECRET = "openbao-raft-migration-release";
/** Annotation: the revision that was the newest when the release was paused, or that a person has let stand since. */
export const REVISION_ANNOTATION = "openbao-raft-migration/revision";
const OVERLAY_KEY = "values.yaml";

/** Layers of values that Pulumi makes as ConfigMaps, for a person to read in the preview; this is their key. */
export const LAYER_KEY = "values.yaml";
export const LAYERS = {
  raft: "openbao-raft-migration-raft",
  replicas: "openbao-raft-migration-replicas",
} as const;

interface HeldSecret extends KubeObject {
  data?: Record<string, string>;
}

interface LayerMap extends KubeObject {
  data?: Record<string, string>;
}

export function heldPath(namespace: string): string {
  return `${secretsPath(namespace)}/${HELD_SECRET}`;
}

export function layerPath(namespace: string, layer: keyof typeof LAYERS): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${LAYERS[layer]}`;
}

/**
 * The Helm release as what the steps and the gate know as a HelmRelease: its values are those that are asked for, which
 * are Helm's own, with the layers and the steps' changes over them while this program holds the release.
 * Undefined when Helm knows no such release.
 */
export async function heldRelease(kube: KubeClient, name: HelmName): Promise<HelmRelease | undefined> {
  const [revisions, held, raft] = await Promise.all([
    helmRevisions(kube, name),
    kube.find<HeldSecret>(heldPath(name.namespace)),
    kube.find<LayerMap>(layerPath(name.namespace, "raft")),
  ]);
  const newest = revisions.at(-1);
  const deployed = deployedOf(revisions);
  if (newest === undefined || deployed === undefined) return undefined;
  const { config, chart } = helmRecord(deployed);
  const values = held === undefined ? config : await layered(kube, name, config, [raft, held]);
  const metadata = record(chart["metadata"]);
  return {
    metadata: {
      name: name.release,
      namespace: name.namespace,
      generation: newest.revision,
      annotations: held?.metadata?.annotations ?? {},
      // Who wrote the layer tells, as on a HelmRelease, whether Raft is asked for by this program, also after landing.
      ...(raft?.metadata !== undefined && managersOf(raft.metadata)),
    },
    spec: {
      ...(held !== undefined && { suspend: true }),
      values: { ...values },
      chart: { spec: { chart: metadata["name"], version: metadata["version"] } },
    },
    status: statusOf(newest),
  };
}

/** Ready and Reconciling as Flux would say it. */
function statusOf(newest: HelmRevision): HelmRelease["status"] {
  const ready = newest.status === "deployed" ? "True" : "False";
  return {
    observedGeneration: newest.revision,
    conditions: [
      { type: "Ready", status: ready, reason: newest.status },
      { type: "Reconciling", status: isPending(newest) ? "True" : "False", reason: newest.status },
    ],
  };
}

async function layered(
  kube: KubeClient,
  { namespace }: HelmName,
  config: object,
  [raft, held]: readonly [LayerMap | undefined, HeldSecret],
): Promise<Record<string, unknown>> {
  const replicas = await kube.find<LayerMap>(layerPath(namespace, "replicas"));
  const layers = [valuesOf(raft?.data?.[LAYER_KEY]), overlayOf(held), valuesOf(replicas?.data?.[LAYER_KEY])];
  return layers.reduce<Record<string, unknown>>(merged, { ...config });
}

function managersOf(metadata: object): object {
  const { managedFields } = metadata as { managedFields?: unknown };
  return managedFields === undefined ? {} : { managedFields };
}

/** What steps ask for beside the layers. */
export function overlayOf(held: HeldSecret): Record<string, unknown> {
  const text = held.data?.[OVERLAY_KEY];
  return valuesOf(text === undefined ? undefined : Buffer.from(text, "base64").toString("utf8"));
}

/** Body of a merge patch that makes this the overlay. */
export function overlayPatch(overlay: object): object {
  return { data: { [OVERLAY_KEY]: Buffer.from(stringify(overlay)).toString("base64") } };
}

/** A key of null removes, as in Helm's own values and in a merge patch. */
export function merged(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete result[key];
    else if (isMap(value)) result[key] = merged(record(result[key]), value);
    else result[key] = value;
  }
  return result;
}

/** Like `merged`, for two changes that are still to be made: a null stays. */
export function mergedChanges(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    result[key] = isMap(value) ? mergedChanges(record(result[key]), value) : value;
  }
  return result;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valuesOf(text: string | undefined): Record<string, unknown> {
  return text === undefined ? {} : record(parse(text));
}
