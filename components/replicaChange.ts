import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const TYPE = "openbao-migration:components:ReplicaChange";

const PATCH_ANNOTATIONS = {
  "pulumi.com/patchForce": "true",
  "pulumi.com/patchFieldManager": "openbao-raft-migration-replicas",
};

export interface ReplicaChangeArgs {
  /** Namespace of the HelmRelease. */
  readonly namespace: string;
  /** Name of the HelmRelease (Flux's kind). */
  readonly release: string;
  /** `server.ha.replicas`; a number, since the chart renders 3 for anything else (hazard I35). */
  readonly replicas: number;
}

/** The values layer with the replica count; written when all nodes are voters already, so it starts no pod. */
export class ReplicaChange extends pulumi.ComponentResource {
  constructor(name: string, args: ReplicaChangeArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    new k8s.apiextensions.CustomResourcePatch(
      name,
      {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name: args.release, namespace: args.namespace, annotations: PATCH_ANNOTATIONS },
        spec: { values: { server: { ha: { replicas: args.replicas } } } },
      },
      // Taking the count back to 1 by removing a resource would cost the quorum.
      { parent: this, retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}
