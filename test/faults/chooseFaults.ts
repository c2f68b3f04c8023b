import type { Failpoint } from "../../components/cluster/failpoint";
import { planSteps } from "../../components/steps/plan";
import { STAGES, type Stage } from "../../config";
import type { RandomStream } from "../../rehearsal/source/randomStream";

/** One mutating call that a clean run was seen to make. */
export interface RecordedCall {
  readonly step: string;
  readonly call: number;
  /** Method and path. */
  readonly label: string;
}

/** Parses the lines that a run with OPENBAO_MIGRATION_RECORD_CALLS wrote. */
export function parseRecord(text: string): RecordedCall[] {
  return [...text.matchAll(/^(\S+) (\d+) (.+)$/gm)].map(([, step = "", call, label = ""]) => ({
    step,
    call: Number(call),
    label,
  }));
}

/** Every failpoint that the recorded calls allow; a 429 or 500 comes instead of the effect, so only before it. */
export function everyFailpoint(calls: readonly RecordedCall[]): Failpoint[] {
  return calls.flatMap(({ step, call }) => [
    ...(["kill", "hold", "lost", "429", "500"] as const).map((what) => ({
      step,
      call,
      when: "before" as const,
      what,
    })),
    ...(["kill", "hold", "lost"] as const).map((what) => ({ step, call, when: "after" as const, what })),
  ]);
}

/** One failpoint for each stage that has recorded calls; the same stream chooses the same. */
export function chooseFaults(
  calls: readonly RecordedCall[],
  random: RandomStream,
): ReadonlyMap<Stage, Failpoint> {
  const stageOf = new Map(planSteps("openbao", 3).map((record) => [record.id, record.stage]));
  const points = everyFailpoint(calls);
  const chosen = STAGES.map((stage): [Stage, Failpoint | undefined] => {
    const here = points.filter((point) => stageOf.get(point.step) === stage);
    return [stage, here.length === 0 ? undefined : here[random.below(here.length)]];
  });
  return new Map(chosen.filter((pair): pair is [Stage, Failpoint] => pair[1] !== undefined));
}

/** The failpoint as the environment variable has it. */
export function failpointText({ step, call, when, what }: Failpoint): string {
  return [step, call, when, what].join(":");
}
