import type { MigrationConfig } from "../../config";
import { joinTrust } from "../openBaoConfig/retryJoin";
import { raftTiming } from "../raftKeys";
import type { RaftPolicyObject } from "../raftPolicyObjects";
import { entryLimit } from "../steps/entrySize";
import type { LandPlan } from "./changeSet";

type GitConfig = NonNullable<MigrationConfig["git"]>;

/** What of the config a plan is made from; a step's input has it, too. */
export type PlannedConfig = Pick<MigrationConfig, "release" | "namespace" | "replicas"> & {
  readonly talos?: { readonly nodeSubnets: readonly string[] } | undefined;
  readonly tls?: MigrationConfig["tls"];
  readonly performanceMultiplier?: number | undefined;
  /** Bytes of the largest file of the source. @default no larger than the server's own limit */
  readonly largestFile?: number;
};

/** The release's file of the config as a plan knows it. */
export function landFiles(
  git: Pick<GitConfig, "helmRelease" | "values">,
): Pick<LandPlan, "helmRelease" | "plainValues"> {
  return git.values === undefined
    ? { helmRelease: git.helmRelease ?? "" }
    : { helmRelease: git.values, plainValues: true };
}

/** @param policies those of stage network that run (livePolicies). */
export function landPlan(
  git: GitConfig,
  { release, namespace, replicas, talos, tls, performanceMultiplier, largestFile = 0 }: PlannedConfig,
  policies: readonly RaftPolicyObject[],
): LandPlan {
  const { checkout, branch, replicasVariable, variables, talosPatch, networkPolicy, replicaFloor } = git;
  return {
    ...{ checkout, branch, replicasVariable, release, namespace, replicas },
    ...landFiles(git),
    ...(variables !== undefined && { variables }),
    ...(talosPatch !== undefined &&
      talos !== undefined && { talos: { file: talosPatch, nodeSubnets: talos.nodeSubnets } }),
    ...(networkPolicy !== undefined && { networkPolicy: { file: networkPolicy, objects: policies } }),
    ...(replicaFloor !== undefined && { replicaFloor }),
    raft: { ...entryLimit(largestFile), ...raftTiming(performanceMultiplier), ...joinTrust(tls) },
  };
}
