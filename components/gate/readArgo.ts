import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { at, booleanAt, listAt, nameOf, textAt } from "./fields";
import { clean } from "./observed";

/** An Argo CD Application that has objects in OpenBao's namespace. */
export interface ArgoView {
  /** namespace/name */
  readonly name: string;
  /** It syncs by itself: spec.syncPolicy.automated is there and not switched off. */
  readonly automated: boolean;
  /** The ApplicationSet that would put spec.syncPolicy back, if one made it. */
  readonly madeBy?: string;
}

const APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications";

/** The Applications that write into `namespace`; undefined where Argo CD is not installed. */
export async function readArgo(kube: KubeClient, namespace: string): Promise<ArgoView[] | undefined> {
  const answer = await kube.find<KubeObject>(APPLICATIONS);
  if (answer === undefined) return undefined;
  return itemsOf(APPLICATIONS, answer)
    .filter((one) => writesInto(one, namespace))
    .map(argoView);
}

/** By its destination, or by an object that it has there already: a chart can name namespaces of its own. */
function writesInto(application: unknown, namespace: string): boolean {
  return (
    textAt(application, "spec", "destination", "namespace") === namespace ||
    listAt(application, "status", "resources").some((one) => textAt(one, "namespace") === namespace)
  );
}

function argoView(application: unknown): ArgoView {
  const automated = at(application, "spec", "syncPolicy", "automated");
  const owner = listAt(application, "metadata", "ownerReferences").find(
    (one) => textAt(one, "kind") === "ApplicationSet",
  );
  const madeBy = textAt(owner, "name");
  return {
    name: clean(`${textAt(application, "metadata", "namespace") ?? "?"}/${nameOf(application)}`),
    // `null` in YAML is absent; Argo CD 3.1 and later can also say enabled: false.
    automated: automated !== undefined && automated !== null && booleanAt(automated, "enabled") !== false,
    ...(madeBy !== undefined && { madeBy: clean(madeBy) }),
  };
}
