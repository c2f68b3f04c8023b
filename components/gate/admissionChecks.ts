import type { MigrationConfig } from "../../config";
import { READY_BY } from "../steps/carryPath";
import {
  fail,
  faults,
  notApplicable,
  pass,
  seen,
  seenObject,
  unclear,
  type Check,
  type Judgement,
} from "./check";
import { valueOr } from "./observed";
import { hasMoved } from "./progress";
import { claimNeeds, podNeeds, shortages, type Needs } from "./quota";
import type { AdmissionView } from "./readAdmission";
import type { ClusterSnapshot } from "./snapshot";

const JOB_REMEDY =
  "except the label app.kubernetes.io/managed-by: openbao-raft-migration from the policy, or set the LimitRange or quota to what the pod has";

/** Whether the API server lets in what the stages make: asked by dry runs of the very manifests, before anything is touched. */
export const admissionChecks: readonly Check[] = [
  {
    id: "probe-pods-admitted",
    // Not "network": that stage counts as done where no policy closes the ports, probed or not.
    stage: "every",
    hazard: { ids: ["F59", "I42"], loss: "the probe cannot run, and what the network does is not known" },
    severity: "block",
    waivable: true,
    observe: "dry runs of the probe pods, and ResourceQuotas against all of them together",
    judge: (snapshot) => {
      const expected = "every probe pod is admitted, and there is room for all at once";
      if (journalHas(snapshot, "network-probe") || hasMoved(snapshot))
        return notApplicable("the network was probed");
      return admitted(snapshot, ["probe"], expected, (probes) =>
        seen(snapshot.quotas, expected, (quotas) =>
          faults(
            shortages(
              quotas,
              probes.flatMap(({ needs }) => needs ?? []),
            ),
            `${probes.length} pods`,
            expected,
          ),
        ),
      );
    },
    remedy:
      "except the label openbao-raft-migration/probe from the policy, or raise the quota for the window",
    source: "hazards.md row 59; design.md rule 5",
  },
  {
    id: "backup-jobs-admitted",
    stage: "backup",
    hazard: { ids: ["F59"], loss: "the copy and the proof of the key wait for pods that never come" },
    severity: "block",
    waivable: true,
    observe: "dry runs of each Job of stage backup, and of the pod that its controller makes of it",
    judge: (snapshot) => jobsAdmitted(snapshot, ["backup-job"]),
    remedy: JOB_REMEDY,
    source: "hazards.md row 59, section 3 (pod security)",
  },
  {
    id: "cutover-jobs-admitted",
    stage: "cutover",
    hazard: { ids: ["F59"], loss: "the Job that carries the data is refused while the server is down" },
    severity: "block",
    waivable: true,
    observe: "dry runs of each Job of the data path, and of the pod that its controller makes of it",
    judge: (snapshot) =>
      journalHas(snapshot, READY_BY[snapshot.path])
        ? notApplicable("the data was carried over")
        : jobsAdmitted(snapshot, ["backup-job", "cutover-job"]),
    remedy: JOB_REMEDY,
    source: "hazards.md row 59, section 3 (pod security)",
  },
  {
    id: "followers-admitted",
    stage: "replicas",
    hazard: {
      ids: ["F59", "I42"],
      loss: "the StatefulSet's controller is refused the followers: one node on Raft remains",
    },
    severity: "block",
    waivable: true,
    observe: "a dry run of a pod from the StatefulSet's template, as its controller makes it for openbao-1",
    judge: (snapshot, config) => {
      const expected = "a pod from the template is admitted";
      if (missingPods(snapshot, config).length === 0) return notApplicable("every server's pod is there");
      return admitted(snapshot, ["follower"], expected, () => pass("admitted", expected));
    },
    remedy:
      "kubectl get namespace NAMESPACE --show-labels; server.statefulSet.securityContext, or the label pod-security.kubernetes.io/enforce",
    source: "hazards.md row 59; Pod Security admission judges pods, not StatefulSets",
  },
  {
    id: "followers-quota",
    stage: "replicas",
    hazard: {
      ids: ["F59", "F37"],
      loss: "the quota refuses a follower, or its claims, when one node is on Raft",
    },
    severity: "block",
    waivable: true,
    observe:
      "what ResourceQuotas have left against the pods and claims of the servers that are not there yet",
    judge: (snapshot, config) => {
      const expected = "room for the pods and claims of every server";
      return seen(snapshot.quotas, expected, (quotas) => {
        if (quotas.length === 0) return pass("no quota", expected);
        return seen(snapshot.pods, expected, () =>
          seenObject(snapshot.statefulSet, "the StatefulSet", expected, () =>
            faults(shortages(quotas, serverNeeds(snapshot, config)), "room in all", expected),
          ),
        );
      });
    },
    remedy: "kubectl describe resourcequota -n NAMESPACE; raise it by what is missing",
    source: "hazards.md row 59",
  },
];

function jobsAdmitted(snapshot: ClusterSnapshot, uses: readonly AdmissionView["use"][]): Judgement {
  const expected = "every Job and its pod are admitted";
  return admitted(snapshot, uses, expected, (jobs) =>
    jobs.length === 0
      ? notApplicable("this carry makes no Job")
      : pass(`${jobs.length} Jobs and pods`, expected),
  );
}

function journalHas({ journal }: ClusterSnapshot, step: string): boolean {
  return valueOr(journal, []).some((entry) => entry.step === step && entry.beat === "done");
}

/** Judges the dry runs of some uses; what is refused goes before what is not known. */
function admitted(
  { admission }: ClusterSnapshot,
  uses: readonly AdmissionView["use"][],
  expected: string,
  judge: (views: readonly AdmissionView[]) => Judgement,
): Judgement {
  return seen(admission, expected, (all) => {
    const mine = all.filter((one) => uses.includes(one.use));
    const refused = mine.filter((one) => one.answer === "refused");
    if (refused.length > 0) return fail(told(refused), expected);
    const open = mine.filter((one) => one.answer === "unknown");
    return open.length > 0 ? unclear(told(open), expected) : judge(mine);
  });
}

/** The first one's words, and the names of the others: one policy says the same of each. */
function told(views: readonly AdmissionView[]): string {
  const [first, ...others] = views;
  const more = others.length === 0 ? "" : `; so also ${others.map(({ what }) => what).join(", ")}`;
  return `${first!.what}: ${first!.words}${more}`;
}

function missingPods({ pods }: ClusterSnapshot, { replicas }: MigrationConfig): number[] {
  const there = valueOr(pods, []).map((pod) => pod.ordinal);
  return Array.from({ length: replicas }, (_, n) => n).filter((n) => !there.includes(n));
}

/** Of every server's pod and claims that are not there; openbao-0 too, which is away in the cutover. */
function serverNeeds(snapshot: ClusterSnapshot, config: MigrationConfig): Needs[] {
  const dry = valueOr(snapshot.admission, []).find((one) => one.use === "follower");
  const pod = dry?.needs ?? podNeeds({});
  const templates = valueOr(snapshot.statefulSet, undefined)?.claimTemplates ?? [];
  const defaultClass = valueOr(snapshot.storageClasses, []).find((one) => one.isDefault)?.name ?? "";
  const claims = valueOr(snapshot.claims, []);
  const without = Array.from({ length: config.replicas }, (_, n) => n).filter(
    (n) => !claims.some((claim) => claim.name === `data-${config.release}-${n}`),
  );
  return [
    ...missingPods(snapshot, config).map(() => pod),
    ...without.flatMap(() => templates.map((one) => claimNeeds(one.size, one.storageClass ?? defaultClass))),
  ];
}
