import * as pulumi from "@pulumi/pulumi";
import { ReplicaChange } from "../replicaChange";
import { RESOURCES } from "../steps/plan";
import { MigrationStage, type StageArgs } from "./stage";

/** Stage replicas: one follower at a time to a voter, then the replica count in the release. */
export class ReplicasStage extends MigrationStage {
  constructor(name: string, args: StageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("replicas", "openbao-migration:components:ReplicasStage", name, args.config, opts);
    const { namespace, release, delivery, replicas } = args.config;
    this.steps("apply-replicas");
    this.place(
      RESOURCES.replicas,
      new ReplicaChange(
        `${name}-count`,
        { namespace, release, delivery, replicas },
        { parent: this, dependsOn: this.after([`follower-${replicas - 1}`]) },
      ),
    );
    this.steps();
    this.registerOutputs({});
  }
}
