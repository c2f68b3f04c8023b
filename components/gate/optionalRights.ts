import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import type { MigrationConfig } from "../../config";
import { HELM_RIGHTS } from "./helmRights";
import { rights, type Right } from "./readAccess";

/** Where Cilium is. */
export const CILIUM_RIGHTS = rights("network", "get create patch", "ciliumnetworkpolicies", "cilium.io");
/** With `alerts.enabled`. */
export const ALERT_RIGHTS = rights("verify", "get create patch", "prometheusrules", "monitoring.coreos.com");

/** In the namespace of one entry of `externalSecrets`. */
export function sampleRights(namespace: string): Right[] {
  return rights("verify", "get patch", "externalsecrets", "external-secrets.io").map((right) => ({
    ...right,
    namespace,
  }));
}

/** Rights that a step needs only where its part is there: asked for then, so that no Role must grant them for nothing. */
export async function optionalRights(kube: KubeClient, config: MigrationConfig): Promise<Right[]> {
  const cilium = `/apis/cilium.io/v2/namespaces/${config.namespace}/ciliumnetworkpolicies`;
  const served = (await kube.find<KubeObject>(cilium, { limit: "1" })) !== undefined;
  const samples = [...new Set(config.externalSecrets.map((one) => one.namespace))];
  return [
    ...(config.delivery === "helm" ? HELM_RIGHTS : []),
    ...(config.tls === undefined ? [] : rights("network", "get", "secrets")),
    ...(served ? CILIUM_RIGHTS : []),
    ...samples.flatMap(sampleRights),
    ...(config.alerts.enabled ? ALERT_RIGHTS : []),
  ];
}
