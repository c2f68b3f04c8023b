import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const TYPE = "openbao-migration:components:OpenBaoRelease";

/** Field manager of the values layer; named, so that a run with lost state owns the same fields again. */
export const VALUES_MANAGER = "openbao-raft-migration-values";

const PATCH_ANNOTATIONS = {
  "pulumi.com/patchForce": "true",
  "pulumi.com/patchFieldManager": VALUES_MANAGER,
};

export interface OpenBaoReleaseArgs {
  /** Namespace of the HelmRelease. */
  readonly namespace: string;
  /** Name of the HelmRelease (Flux's kind). */
  readonly release: string;
  /** `server.ha.raft.config`: the server's own config with the storage stanza changed. */
  readonly raftConfig: pulumi.Input<string | object>;
  /** True once the live release is on Raft: what Git says counts from then on, and no input is written again. */
  readonly applied: boolean;
}

/** The values layer that takes Flux's HelmRelease from standalone to ha.raft; Flux applies it in step flip. */
export class OpenBaoRelease extends pulumi.ComponentResource {
  constructor(name: string, args: OpenBaoReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    new k8s.apiextensions.CustomResourcePatch(
      name,
      {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name: args.release, namespace: args.namespace, annotations: PATCH_ANNOTATIONS },
        spec: { values: raftLayer(args.raftConfig) },
      },
      // Removing the layer would take the server back to an old, stale file storage: only a rollback may do that.
      { parent: this, retainOnDelete: true, ...(args.applied && { ignoreChanges: ["spec", "metadata"] }) },
    );
    this.registerOutputs({});
  }
}

/** Pure: the values of the layer. The replica count is not here: it is 1 at the flip and another layer's later. */
export function raftLayer(raftConfig: pulumi.Input<string | object>) {
  return {
    server: {
      standalone: { enabled: false },
      ha: { enabled: true, raft: { enabled: true, setNodeId: true, config: raftConfig } },
    },
  };
}
