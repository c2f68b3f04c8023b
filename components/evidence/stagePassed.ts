import type { JournalEntry } from "../cluster/journal";

/**
 * Why a stage has not been passed by this run and this program, or undefined when it has. Each step must be done; one
 * that found its work done counts when it, or the step right before it, acted: the flip of a killed run may have rolled
 * the pod already, while a cluster that somebody else moved shows nothing but steps with no work.
 */
export function notPassed(
  entries: readonly JournalEntry[],
  steps: readonly string[],
  program: string,
): string | undefined {
  const has = (step: string, ...beats: JournalEntry["beat"][]) =>
    entries.some((one) => one.step === step && beats.includes(one.beat) && one.program === program);
  for (const [index, step] of steps.entries()) {
    const others = entries.some((one) => one.step === step && one.program !== program);
    const by = others ? " by this version of the program" : " in this run";
    if (!has(step, "done", "found")) return `step ${step} was not done${by}`;
    const acted = has(step, "act") || (index > 0 && has(steps[index - 1]!, "act"));
    if (!acted) return `step ${step} found its work done, and nothing${by} did it`;
  }
  return undefined;
}
