import type { V1Job, V1Node, V1Pod, V1StatefulSet, V1Volume } from "@kubernetes/client-node";
import type { MigrationConfig } from "../../config";
import { carryPath, type CarryPath } from "./carryPath";
import { namedServer } from "./networkProbe";
import { buildJob, type NodeJob } from "./nodeJob";
import { probeClient, probePods } from "./probePods";
import * as jobs from "./stepJobs";

/** One object that a stage is going to make, as it will be sent. */
export interface PlannedObject {
  /** What it is for. */
  readonly use: "probe" | "backup-job" | "cutover-job" | "follower";
  readonly manifest: V1Pod | V1Job;
}

type Settings = Pick<MigrationConfig, "release" | "podTimeoutSeconds" | "copyTimeoutSeconds"> &
  Partial<Pick<MigrationConfig, "tls">>;

/** Pure: the probe pods of stage network, servers and clients; they run at the same time. */
export function plannedProbes(
  statefulSet: V1StatefulSet,
  nodes: readonly V1Node[],
  config: Settings & Pick<MigrationConfig, "replicas">,
): PlannedObject[] {
  return probePods(statefulSet, nodes, config.replicas).flatMap(({ pod, node }, ordinal) => {
    const client = probeClient(statefulSet, ordinal, node, { targets: [], server: namedServer(config) });
    return [pod, client].map((manifest) => ({ use: "probe" as const, manifest }));
  });
}

/**
 * Pure: the Jobs of the data path, each with the pod that its controller makes of it: Pod Security, LimitRanges and most
 * quotas judge pods alone.
 * @param node of `<release>-0`, where it runs
 */
export function plannedJobs(
  statefulSet: V1StatefulSet,
  config: Settings & Pick<MigrationConfig, "carry" | "snapshot">,
  node: string | undefined,
): PlannedObject[] {
  const { backup = [], cutover = [] } = JOBS[carryPath(config)](config, node);
  const planned = (use: PlannedObject["use"], job: NodeJob): PlannedObject[] => {
    const manifest = buildJob(statefulSet, job);
    return [manifest, podOf(manifest)].map((one) => ({ use, manifest: one }));
  };
  return [
    ...backup.flatMap((job) => planned("backup-job", job)),
    ...cutover.flatMap((job) => planned("cutover-job", job)),
  ];
}

type JobsOf = (
  config: Settings,
  node: string | undefined,
) => { readonly backup?: readonly NodeJob[]; readonly cutover?: readonly NodeJob[] };

const JOBS: Readonly<Record<CarryPath, JobsOf>> = {
  migrate: (config, node) => ({
    backup: [jobs.fileCopyJob(config, node), jobs.keyProofJob(config, 0, node)],
    cutover: [jobs.carryJob(config, { node })],
  }),
  restore: (config, node) => ({
    cutover: [jobs.finalSnapshotJob(config, { node }), jobs.oldRaftAsideJob(config, { node })],
  }),
  "restore-file": (config, node) => ({ cutover: [jobs.oldRaftAsideJob(config, { node })] }),
  reseed: (config, node) => ({ cutover: [jobs.oldRaftAsideJob(config, { node })] }),
  none: () => ({}),
};

function podOf({ metadata, spec }: V1Job): V1Pod {
  const name = metadata?.name ?? "";
  const labels = { ...spec?.template.metadata?.labels, "batch.kubernetes.io/job-name": name };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: `${name}-`, labels },
    ...(spec?.template.spec && { spec: spec.template.spec }),
  };
}

/**
 * Pure: the pod that the StatefulSet's controller makes for `ordinal`, but under a generated name, and without
 * `component`, by which each Service of the server selects.
 */
export function followerPod(statefulSet: V1StatefulSet, ordinal: number): PlannedObject {
  const { template, serviceName, volumeClaimTemplates = [] } = statefulSet.spec ?? {};
  const name = `${statefulSet.metadata?.name}-${ordinal}`;
  const { component: _component, ...labels } = template?.metadata?.labels ?? {};
  const claims = volumeClaimTemplates.map((one) => one.metadata?.name ?? "");
  const volumes: V1Volume[] = [
    ...claims.map((claim) => ({
      name: claim,
      persistentVolumeClaim: { claimName: `${claim}-${name}` },
    })),
    ...(template?.spec?.volumes ?? []).filter((volume) => !claims.includes(volume.name)),
  ];
  const annotations = template?.metadata?.annotations;
  return {
    use: "follower",
    manifest: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { generateName: `${name}-admission-`, labels, ...(annotations && { annotations }) },
      spec: {
        ...template?.spec,
        containers: template?.spec?.containers ?? [],
        hostname: name,
        ...(serviceName !== undefined && { subdomain: serviceName }),
        volumes,
      },
    },
  };
}
