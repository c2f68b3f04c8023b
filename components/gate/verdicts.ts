import { STAGES, type MigrationConfig, type Stage } from "../../config";
import type { Check, Judgement } from "./check";
import { clean } from "./observed";
import { isDone } from "./progress";
import type { ClusterSnapshot } from "./snapshot";
import { waiverOf, type Waiver } from "./waivers";

/**
 * FAIL and UNKNOWN stop the update. LATER fails too, but guards a stage beyond the configured one. DONE: its stage
 * lies behind. NONE: there is nothing to judge.
 */
export type Outcome = "FAIL" | "UNKNOWN" | "WAIVED" | "WARN" | "LATER" | "PASS" | "NONE" | "DONE";

export interface Row {
  readonly check: Check;
  readonly outcome: Outcome;
  readonly judgement: Judgement;
  readonly waiver?: Waiver;
}

/** Judges every check; the order of `checks` does not matter. */
export function judgeAll(
  checks: readonly Check[],
  snapshot: ClusterSnapshot,
  config: MigrationConfig,
  observed: Stage | "none",
): readonly Row[] {
  return checks
    .map((check) => judgeOne(check, snapshot, config, observed))
    .sort((a, b) => stageOrder(a.check) - stageOrder(b.check) || (a.check.id < b.check.id ? -1 : 1));
}

function judgeOne(
  check: Check,
  snapshot: ClusterSnapshot,
  config: MigrationConfig,
  observed: Stage | "none",
): Row {
  const { stage } = check;
  const staged = stage !== "every" && stage !== "rollback";
  if (staged && isDone(observed, stage)) {
    return { check, outcome: "DONE", judgement: { verdict: "not-applicable", found: "", expected: "" } };
  }
  const judgement = safely(check, snapshot, config);
  if (judgement.verdict === "pass") return { check, outcome: "PASS", judgement };
  if (judgement.verdict === "not-applicable") return { check, outcome: "NONE", judgement };
  const waiver = waiverOf(check, config.waivers, snapshot.takenAt);
  if (waiver !== undefined) return { check, outcome: "WAIVED", judgement, waiver };
  const beyond = staged && STAGES.indexOf(stage) > STAGES.indexOf(config.stage);
  if (beyond) return { check, outcome: "LATER", judgement };
  if (check.severity === "warn") return { check, outcome: "WARN", judgement };
  return { check, outcome: judgement.verdict === "fail" ? "FAIL" : "UNKNOWN", judgement };
}

/** A check that throws must not hide the others, nor let anything through. */
function safely(check: Check, snapshot: ClusterSnapshot, config: MigrationConfig): Judgement {
  try {
    const { verdict, found, expected } = check.judge(snapshot, config);
    return { verdict, found: clean(found, 600), expected: clean(expected, 300) };
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return {
      verdict: "unknown",
      found: `the check itself failed (${name}); this is a bug`,
      expected: check.observe,
    };
  }
}

function stageOrder(check: Check): number {
  if (check.stage === "rollback") return STAGES.length;
  return check.stage === "every" ? -1 : STAGES.indexOf(check.stage);
}
