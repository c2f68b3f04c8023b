import * as pulumi from "@pulumi/pulumi";
import { RaftCiliumPolicy } from "../raftCiliumPolicy";
import { RaftNetworkPolicy } from "../raftNetworkPolicy";
import type { RestrictedDirections } from "../restrictedDirections";
import { RESOURCES } from "../steps/plan";
import { MigrationStage, type StageArgs } from "./stage";

export interface NetworkStageArgs extends StageArgs {
  /** Directions in which the server's pods are restricted by the user's own policies. */
  readonly restricted: RestrictedDirections;
}

/** Stage network: opens both Raft ports between the server's pods, and proves it by connections between nodes. */
export class NetworkStage extends MigrationStage {
  constructor(name: string, args: NetworkStageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("network", "openbao-migration:components:NetworkStage", name, args.config, opts);
    const { namespace, release } = args.config;
    const policy = { namespace, release, directions: args.restricted.kubernetes };
    this.place(RESOURCES.networkPolicy, new RaftNetworkPolicy(`${name}-policy`, policy, { parent: this }));
    const cilium = { namespace, release, directions: args.restricted.cilium };
    this.place(RESOURCES.ciliumPolicy, new RaftCiliumPolicy(`${name}-cilium`, cilium, { parent: this }));
    this.steps();
    this.registerOutputs({});
  }
}
