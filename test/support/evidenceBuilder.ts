import { STAGES, type Stage } from "../../config";
import type { JournalEntry, JournalRun } from "../../components/cluster/journal";
import { linkBefore, linkOf, passedId, type Evidence } from "../../components/evidence/evidence";
import { planDigest, type PlanParts } from "../../components/evidence/planDigest";

export const RUN = "run-a";

export const PLAN: PlanParts = {
  program: "p".repeat(64),
  steps: "s".repeat(64),
  carry: "migrate",
  replicas: "3",
  chart: "openbao 0.29.2",
  openbao: "2.4.0",
  timing: "performance_multiplier 5",
  listener: "TLS off",
  audit: "file file/",
  pods: "OrderedReady, OnDelete, readiness http, volumes audit data",
};

/** Evidence of one run that passed `stages` at `passedAt` with `plan`. */
export function evidence(
  passedAt: string,
  plan: PlanParts = PLAN,
  stages: readonly Stage[] = STAGES,
  runId = RUN,
): Evidence {
  const made: Evidence["stages"] = {};
  for (const stage of stages) {
    const bound = { passedAt, planDigest: planDigest(plan) };
    made[stage] = { ...bound, plan, link: linkOf(runId, stage, bound, linkBefore(made, stage)) };
  }
  return { format: 1, runId, stages: made };
}

/** The journal that says the same. */
export function journalRun(of: Evidence, id = of.runId): JournalRun {
  const entries: JournalEntry[] = Object.entries(of.stages).map(([stage, one]) => ({
    time: one.passedAt,
    holder: "tester",
    step: passedId(stage as Stage),
    beat: "done",
    observed: { runId: of.runId, ...one },
  }));
  return { id, createdAt: "2026-11-24T08:00:00Z", entries };
}
