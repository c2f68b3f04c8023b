import type { FaultRunResult } from "./faultRun";

/** One faulted run with its number. */
export interface NumberedRun {
  readonly run: number;
  readonly seconds: number;
  readonly result: FaultRunResult;
}

/** Lines of the summary that a campaign ends with; counts only what was reached and seen. */
export function summaryOf(runs: readonly NumberedRun[]): string[] {
  const stages = runs.flatMap(({ result }) => result.stages);
  const reached = stages.filter((stage) => stage.reached);
  const failed = runs.filter(({ result }) => result.failures.length > 0);
  const acknowledged = runs.reduce((sum, { result }) => sum + result.acknowledged, 0);
  return [
    `${runs.length} run(s), ${reached.length} of ${stages.length} faults reached, ${failed.length} run(s) failed`,
    `${acknowledged} acknowledged writes checked`,
    `plain runs needed after a fault: ${countsOf(reached.map((stage) => stage.plainRuns))}`,
    ...failed.map(
      ({ run, result }) =>
        `run ${run} (${result.stages.map((stage) => stage.fault).join(", ")}): ${result.failures.join("; ")}`,
    ),
  ];
}

function countsOf(numbers: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return sorted.map(([number, times]) => `${number} x ${times}`).join(", ") || "none";
}
