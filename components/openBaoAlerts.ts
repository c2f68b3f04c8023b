import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { alertRules, type AlertRuleOptions } from "./alertRules";

const TYPE = "openbao-migration:components:OpenBaoAlerts";

export interface OpenBaoAlertsArgs extends AlertRuleOptions {
  /** Labels by which the cluster's Prometheus selects rules. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The PrometheusRule that watches the finished cluster; it needs the CRD of the Prometheus operator. */
export class OpenBaoAlerts extends pulumi.ComponentResource {
  constructor(name: string, args: OpenBaoAlertsArgs, opts?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, args, opts);
    new k8s.apiextensions.CustomResource(
      name,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: {
          name: `${args.release}-raft`,
          namespace: args.namespace,
          labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration", ...args.labels },
        },
        spec: alertRules(args),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
