import type { ConfigResult, MigrationConfig, Stage } from "../../config";
import type { KubeClient } from "../cluster/kubeClient";
import type { Check } from "./check";
import { checks as allChecks } from "./checks";
import { observedStage } from "./progress";
import type { GateReport } from "./report";
import type { ClusterSnapshot } from "./snapshot";
import { judgeAll } from "./verdicts";
import { waiverFindings } from "./waivers";

/** What the gate saw and said. */
export interface Gate {
  /** The parsed config; when it has faults, what could still be read of it. */
  readonly config: MigrationConfig;
  readonly snapshot: ClusterSnapshot;
  /** The furthest stage that the world shows as done. */
  readonly observed: Stage | "none";
  readonly report: GateReport;
  /** Absent when there is no usable kubeconfig. */
  readonly kube?: KubeClient;
}

/** Pure: the verdict on a snapshot. */
export function judged(
  result: ConfigResult,
  config: MigrationConfig,
  snapshot: ClusterSnapshot,
  checks: readonly Check[] = allChecks,
): Gate {
  const observed = observedStage(snapshot);
  const rows = judgeAll(checksFor(checks, config.rollback), snapshot, config, observed);
  const findings = result.ok ? [] : result.findings;
  // A waiver for the way forward that has expired, or is not needed, must not stand in the way back.
  const waivers = config.rollback ? [] : waiverFindings(config.waivers, checks, rows, snapshot.takenAt);
  const { takenAt, tookMs } = snapshot;
  const report = {
    stage: config.rollback ? ("rollback" as const) : config.stage,
    observed,
    takenAt,
    tookMs,
    rows,
    waivers: config.waivers,
    config: [...findings, ...waivers],
    ...(!snapshot.api.known && { blind: snapshot.api.why }),
  };
  return { config, snapshot, observed, report };
}

/** Pure: the checks of the way that is asked for, forward or back. */
function checksFor(checks: readonly Check[], rollback: boolean): readonly Check[] {
  return checks.filter((check) =>
    rollback ? check.stage === "rollback" || check.alsoRollback === true : check.stage !== "rollback",
  );
}
