import * as pulumi from "@pulumi/pulumi";
import { RaftNetworkPolicy, type Direction } from "../raftNetworkPolicy";
import { RESOURCES } from "../steps/plan";
import { MigrationStage, type StageArgs } from "./stage";

export interface NetworkStageArgs extends StageArgs {
  /** Directions in which the server's pods are restricted by the user's own policies. */
  readonly restricted: readonly Direction[];
}

/** Stage network: opens both Raft ports between the server's pods, and proves it by connections between nodes. */
export class NetworkStage extends MigrationStage {
  constructor(name: string, args: NetworkStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("network", "openbao-migration:components:NetworkStage", name, args.config, opts);
    const { namespace, release } = args.config;
    const policy = { namespace, release, directions: args.restricted };
    this.place(RESOURCES.networkPolicy, new RaftNetworkPolicy(`${name}-policy`, policy, { parent: this }));
    this.steps();
    this.registerOutputs({});
  }
}
