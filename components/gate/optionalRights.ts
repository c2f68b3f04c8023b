import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import type { MigrationConfig } from "../../config";
import { HELM_RIGHTS } from "./helmRights";
import { rights, type Right } from "./readAccess";

/** Rights that a step needs only where its part is there: asked for then, so that no Role must grant them for nothing. */
export async function optionalRights(kube: KubeClient, config: MigrationConfig): Promise<Right[]> {
  const cilium = `/apis/cilium.io/v2/namespaces/${config.namespace}/ciliumnetworkpolicies`;
  const served = (await kube.find<KubeObject>(cilium, { limit: "1" })) !== undefined;
  const samples = [...new Set(config.externalSecrets.map((one) => one.namespace))];
  return [
    ...(config.delivery === "helm" ? HELM_RIGHTS : []),
    ...(config.tls === undefined ? [] : rights("network", "get", "secrets")),
    ...(served ? rights("network", "get create patch", "ciliumnetworkpolicies", "cilium.io") : []),
    ...samples.flatMap((namespace) =>
      rights("verify", "get patch", "externalsecrets", "external-secrets.io").map((right) => ({
        ...right,
        namespace,
      })),
    ),
    ...(config.alerts.enabled
      ? rights("verify", "get create patch", "prometheusrules", "monitoring.coreos.com")
      : []),
  ];
}
