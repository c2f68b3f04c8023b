import type { Campaign } from "./campaignOptions";
import { isAt, type RecordedCall } from "./chooseFaults";
import { parseFault } from "./fault";
import { pathText } from "./movePath";
import type { FaultedStage } from "./faultedStage";
import type { FaultRunResult } from "./faultRun";

/** One faulted run with its number. */
export interface NumberedRun {
  readonly run: number;
  readonly seconds: number;
  readonly result: FaultRunResult;
}

/** Claims that speak of content: by their own words, since a fault's name or a run's output may hold any. */
const LOST =
  /^(every acknowledged write|the generated content|no entry of the content|the content digests|the carried Raft store|the old file storage|the way back lost|only writes acknowledged)/;

/**
 * Lines of the summary that a campaign ends with; counts only what was reached and seen.
 * @param calls of the run without a fault; none where faults were named
 */
export function summaryOf(
  runs: readonly NumberedRun[],
  campaign: Omit<Campaign, "runs" | "keys" | "goOn" | "pairs">,
  calls: readonly RecordedCall[] = [],
): string[] {
  const options = `--seed ${campaign.seed}${pathText(campaign)}${campaign.smallVolumes ? " --small-volumes" : ""}`;
  const stages = runs.flatMap(({ result }) => result.stages);
  const reached = stages.filter((stage) => stage.reached > 0);
  const count = (of: (stage: FaultedStage) => number) => stages.reduce((sum, stage) => sum + of(stage), 0);
  const named = (what: RegExp) =>
    runs.flatMap(({ result }) => result.failures.filter((failure) => what.test(failure))).length;
  const failed = runs.filter(({ result }) => result.failures.length > 0);
  const acknowledged = runs.reduce((sum, { result }) => sum + result.acknowledged, 0);
  return [
    `${runs.length} run(s), ${count(({ reached: n }) => n)} of ${count(({ faults: n }) => n)} faults reached, ${failed.length} run(s) failed`,
    `${acknowledged} acknowledged writes checked; lost: ${named(LOST)}, leaked: ${named(/^a secret leaked/)} finding(s)`,
    ...(calls.length === 0 ? [] : [coverageOf(stages, calls)]),
    `seconds a run: ${secondsOf(runs)}`,
    `plain runs needed after a fault: ${countsOf(reached.map((stage) => stage.plainRuns))}`,
    ...failed.map(
      ({ run, result }) =>
        `run ${run}: ${result.failures.join("; ")}\n  again: npm run faults -- ${options} --faults "${result.planned}"`,
    ),
  ];
}

/** A fault of the API server counts requests, not calls of a step: it says of no call that it was broken. */
function coverageOf(stages: readonly FaultedStage[], calls: readonly RecordedCall[]): string {
  const hit = stages.flatMap((stage) => stage.hit.map(parseFault)).filter(({ kind }) => kind !== "proxy");
  const broken = calls.filter((call) => hit.some((fault) => isAt(fault, call, new Map())));
  return `mutating calls at which a run was broken: ${broken.length} of ${calls.length}`;
}

function countsOf(numbers: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return sorted.map(([number, times]) => `${number} x ${times}`).join(", ") || "none";
}

function secondsOf(runs: readonly NumberedRun[]): string {
  const sorted = runs.map(({ seconds }) => Math.round(seconds)).sort((a, b) => a - b);
  if (sorted.length === 0) return "none";
  return `${sorted[0]} to ${sorted.at(-1)}, the middle one ${sorted[Math.floor(sorted.length / 2)]}`;
}
