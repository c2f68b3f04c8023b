import { rolesFor, type RbacObject } from "../components/gate/roles";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";
import type { RehearsalOptions } from "./options";
import { FLUX_NAMESPACE } from "./flux/objects";
import { componentKubeconfig } from "./cluster/kubeconfigs";
import { RUNNER } from "./cluster/pki";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

/**
 * Gives the user that runs Pulumi the Roles of docs/role.yaml, so that a right that is missing there stops a rehearsal
 * (F59). What looks at the cluster beside the program stays the administrator. On a cluster of the user's own it is the
 * user that the context names.
 * @param samples those of the config key `externalSecrets`
 * @returns the kubeconfig for Pulumi
 */
export async function runnerKubeconfig(
  kube: KubeClient,
  { context, delivery, flux }: Pick<RehearsalOptions, "context" | "delivery" | "flux">,
  samples: readonly { readonly namespace: string }[],
): Promise<string> {
  if (context !== undefined) return process.env["KUBECONFIG"] ?? "";
  const objects = rolesFor({
    namespace: SOURCE_NAMESPACE,
    delivery,
    ...(flux && { fluxNamespace: FLUX_NAMESPACE }),
    sampleNamespaces: [...new Set(samples.map(({ namespace }) => namespace))],
    subject: { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: RUNNER },
  });
  for (const object of objects) await put(kube, object);
  return componentKubeconfig(RUNNER);
}

/** What an earlier rehearsal left in the cluster is written over. */
async function put(kube: KubeClient, object: RbacObject & KubeObject): Promise<void> {
  const { name, namespace } = object.metadata;
  const within = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const path = `/apis/${object.apiVersion}${within}/${object.kind.toLowerCase()}s`;
  if ((await kube.find(`${path}/${name}`)) === undefined) await kube.create(path, object);
  else await kube.replace(`${path}/${name}`, object);
}
