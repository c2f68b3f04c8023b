import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { LAYER_KEY, LAYERS } from "./delivery/heldRelease";
import type { ReleaseName } from "./delivery/releaseReader";

export interface ValuesLayer extends ReleaseName {
  /** Field manager of the layer; named, so that a run with lost state owns the same fields again. */
  readonly manager: string;
  /** Which of the two layers it is. */
  readonly layer: keyof typeof LAYERS;
  readonly values: pulumi.Input<object>;
}

/**
 * Values over those of the release, for a step to have applied: a patch of Flux's HelmRelease, or a ConfigMap of its own
 * that step flip or apply-replicas hands to Helm (docs/adr/0009). The preview shows either.
 */
export function valuesLayer(
  name: string,
  args: ValuesLayer,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const annotations = { "pulumi.com/patchForce": "true", "pulumi.com/patchFieldManager": args.manager };
  const { namespace, release, values } = args;
  if (args.delivery === "helm") {
    const text = pulumi.output(values).apply((layer) => stringify(layer));
    const metadata = { name: LAYERS[args.layer], namespace, annotations };
    return new k8s.core.v1.ConfigMap(name, { metadata, data: { [LAYER_KEY]: text } }, opts);
  }
  return new k8s.apiextensions.CustomResourcePatch(
    name,
    {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: release, namespace, annotations },
      spec: { values },
    },
    opts,
  );
}
