import { KubeError } from "../../components/cluster/kubeClient";
import type { PlantedHazard } from "./plantedHazards";
import { NS, type World } from "./snapshotBuilder";

type Made = { metadata: { name?: string; generateName?: string; labels?: Record<string, string> } };

/** The API server refuses what is named so, in its own words. */
export function refuse(
  world: World,
  named: RegExp,
  words: string,
  { status = 403, reason = "Forbidden" } = {},
): World {
  world.kube.answer("create", /\/(?:pods|jobs)$/, (path, _query, body) => {
    const { name, generateName = "" } = (body as Made).metadata;
    if (!named.test(name ?? generateName)) return undefined;
    throw new KubeError(`POST ${path}: HTTP ${status} ${reason} ${words}`, status, reason);
  });
  return world;
}

const RESTRICTED = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile';

/** What keeps pods and Jobs out, and what ResourceQuotas have too little of. */
export const admissionHazards: readonly PlantedHazard[] = [
  {
    check: "probe-pods-admitted",
    title: "Pod Security that refuses the probe pods (F59)",
    plant: (world) => refuse(world, /^openbao-raft-probe/, RESTRICTED),
    found:
      /^Pod openbao-raft-probe-0: HTTP 403 Forbidden pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile; so also Pod openbao-raft-probe-client-0/,
  },
  {
    check: "probe-pods-admitted",
    title: "a quota with room for one probe pod, not for all at once (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/pods`, { status: { hard: { pods: "6" }, used: { pods: "1" } } }),
    found: /^pods: pods, 5 left, 6 needed$/,
  },
  {
    check: "backup-jobs-admitted",
    title: "a LimitRange that refuses the pod of a Job (F59)",
    plant: (world) =>
      refuse(world, /^openbao-raft-file-copy-$/, "minimum memory usage per Container is 64Mi"),
    found: /^Pod openbao-raft-file-copy-: HTTP 403 Forbidden minimum memory usage/,
    // The cutover proves the key by the same Jobs once more.
    beside: ["cutover-jobs-admitted"],
  },
  {
    check: "cutover-jobs-admitted",
    title: "a webhook that refuses the Job of the carry (F59)",
    plant: (world) =>
      refuse(world, /^openbao-raft-carry$/, 'admission webhook "limits" denied the request', {
        status: 400,
        reason: "",
      }),
    found: /^Job openbao-raft-carry: HTTP 400 +admission webhook "limits" denied/,
  },
  {
    check: "cutover-jobs-admitted",
    title: "a webhook that takes no dry run (F59)",
    plant: (world) =>
      refuse(world, /^openbao-raft-carry-$/, 'admission webhook "mesh" does not support dry run', {
        status: 400,
        reason: "BadRequest",
      }),
    found: /^Pod openbao-raft-carry-: .*does not support dry run$/,
  },
  {
    check: "followers-admitted",
    title: "Pod Security that refuses a pod of the StatefulSet's template (F59)",
    plant: (world) => refuse(world, /^openbao-1-admission-$/, RESTRICTED),
    found: /^Pod openbao-1-admission-: .*violates PodSecurity/,
  },
  {
    check: "followers-quota",
    title: "a quota without room for the followers' claims (F37)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/claims`, {
        status: { hard: { "requests.storage": "30Gi" }, used: { "requests.storage": "11Gi" } },
      }),
    found: /^claims: requests\.storage, 20401094656 left, 23622320128 needed$/,
  },
];
