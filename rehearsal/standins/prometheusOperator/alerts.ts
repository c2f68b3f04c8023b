import type { KubeClient, KubeObject } from "../../../components/cluster/kubeClient";
import type { Claim } from "../../outcome";
import { SOURCE_NAMESPACE } from "../../source/sourceCluster";
import { installCrds } from "../crds/installCrds";

const RULE = `/apis/monitoring.coreos.com/v1/namespaces/${SOURCE_NAMESPACE}/prometheusrules/openbao-raft`;

/** What the stack is told of them, as the config key `alerts`. */
export const ALERTS_CONFIG = { enabled: true, labels: { release: "prometheus" } } as const;

/** Makes the cluster one that takes PrometheusRules; nobody evaluates them. */
export async function acceptAlerts(kube: KubeClient): Promise<void> {
  await installCrds(kube.config, __dirname);
}

/** That the move left the alerts, selectable by the label that was asked for. */
export async function alertClaim(kube: KubeClient): Promise<Claim> {
  type Rule = KubeObject & { spec?: { groups?: { rules?: { alert?: string }[] }[] } };
  const rule = await kube.find<Rule>(RULE);
  const alerts = (rule?.spec?.groups ?? []).flatMap(({ rules = [] }) => rules.map(({ alert }) => alert));
  const labelled = rule?.metadata?.labels?.["release"] === ALERTS_CONFIG.labels.release;
  return {
    claim: "the alerts of the finished cluster are there",
    holds: alerts.length > 0 && labelled,
    seen: alerts.length > 0 ? `${alerts.length} rules${labelled ? "" : ", without the label"}` : "none",
  };
}
