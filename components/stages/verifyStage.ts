import * as pulumi from "@pulumi/pulumi";
import { OpenBaoAlerts } from "../openBaoAlerts";
import { MigrationStage, type StageArgs } from "./stage";

export interface VerifyStageArgs extends StageArgs {
  /** True unless the cluster is known to serve no PrometheusRules. */
  readonly rulesServed: boolean;
}

/** Stage verify: full content comparison, failover drill, Services and audit devices of every node, alerts. */
export class VerifyStage extends MigrationStage {
  constructor(name: string, args: VerifyStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("verify", "openbao-migration:components:VerifyStage", name, args.config, opts);
    const { namespace, release, replicas, alerts } = args.config;
    if (alerts.enabled && args.rulesServed) {
      const { labels } = alerts;
      new OpenBaoAlerts(`${name}-alerts`, { namespace, release, replicas, labels }, { parent: this });
    }
    this.steps();
    this.registerOutputs({});
  }
}
