import type { Campaign } from "./campaignOptions";
import type { CampaignResults } from "./campaignResults";
import { chooseFaults } from "./chooseFaults";
import type { FaultRunOptions } from "./faultRun";
import type { NumberedRun } from "./summary";

export type DoRun = (number: number, faults: FaultRunOptions["faults"]) => Promise<NumberedRun>;

/**
 * The runs of a campaign that are not there yet: one without a fault, from whose calls the others choose, then each
 * number. A run that was cut off left no result, and is made anew, with the same faults.
 * @returns every faulted run of this program, those of before as well; the run without a fault alone where it failed
 */
export async function chosenRuns(
  { runs, seed, pairs, smallVolumes }: Campaign,
  results: CampaignResults,
  run: DoRun,
  log: (line: string) => void,
): Promise<NumberedRun[]> {
  if (results.calls() === undefined) {
    log("recording a run without a fault");
    const first = await run(0, new Map());
    results.add(first);
    if (first.result.failures.length > 0) return [first];
  }
  const calls = results.calls() ?? [];
  log(`${calls.length} mutating calls recorded`);
  for (let number = 1; number <= runs; number++) {
    if (results.has(number)) continue;
    log(`run ${number} of ${runs}`);
    results.add(await run(number, chooseFaults(calls, { seed, run: number, pairs, smallVolumes })));
  }
  return results.faulted();
}
