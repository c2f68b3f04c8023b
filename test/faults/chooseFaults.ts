import { STAGES, type Stage } from "../../config";
import { PROXY_FAULTS } from "../../rehearsal/faultProxy";
import type { RandomStream } from "../../rehearsal/source/randomStream";
import { RUN_FAULTS, stageOf, stageOfStep, type Fault } from "./fault";
import { mayBreakAt, WORLD_FAULT_RECORDS, WORLD_FAULTS, type WorldFault } from "./worldFault";

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
export function everyFailpoint(calls: readonly RecordedCall[]): Fault[] {
  return calls.flatMap(({ step, call }) => [
    ...(["kill", "hold", "lost", "429", "500"] as const).map((what) => point(step, call, "before", what)),
    ...(["kill", "hold", "lost"] as const).map((what) => point(step, call, "after", what)),
  ]);
}

/** Every fault of the API server and of the whole run, for the recorded calls. */
export function everyOuterFault(calls: readonly RecordedCall[]): Fault[] {
  const numbers = new Map<Stage, number>();
  return calls.flatMap(({ step, call }) => {
    const runs = RUN_FAULTS.map((what): Fault => ({ kind: "run", what, step, call }));
    const stage = stageOf(runs[0]!);
    if (stage === undefined) return [];
    const at = (numbers.get(stage) ?? 0) + 1;
    numbers.set(stage, at);
    // Three in a row are more than a single try again gets over.
    const proxied = PROXY_FAULTS.flatMap((what): Fault[] =>
      [1, 3].map((times) => ({ kind: "proxy", stage, fault: { what, at, ...(times > 1 && { times }) } })),
    );
    return [...runs, ...proxied];
  });
}

/** Every fault of the world beside the run, for the recorded calls; those that need small volumes only with them. */
export function everyWorldFault(calls: readonly RecordedCall[], smallVolumes: boolean): Fault[] {
  return calls.flatMap(({ step, call }) => {
    const stage = stageOfStep(step);
    const fits = (what: WorldFault) =>
      stage !== undefined &&
      mayBreakAt(what, stage, step) &&
      (smallVolumes || WORLD_FAULT_RECORDS[what].smallVolumes !== true);
    return WORLD_FAULTS.filter(fits).map((what): Fault => ({ kind: "world", what, step, call }));
  });
}

/** How a campaign chooses. */
export interface Choice {
  /** Two faults in each stage, one after the other. @default false */
  readonly pairs?: boolean;
  /** The source's data volumes can be filled. @default false */
  readonly smallVolumes?: boolean;
}

/**
 * Faults for each stage that has recorded calls, one of them a stage, or with `pairs` two that come after each other.
 * Failpoints, faults from outside and faults of the world come as often as each other. The same stream chooses the same.
 */
export function chooseFaults(
  calls: readonly RecordedCall[],
  random: RandomStream,
  { pairs = false, smallVolumes = false }: Choice = {},
): ReadonlyMap<Stage, readonly Fault[]> {
  const kinds = [everyFailpoint(calls), everyOuterFault(calls), everyWorldFault(calls, smallVolumes)];
  const chosen = STAGES.map((stage): [Stage, Fault[]] => {
    const here = kinds
      .map((faults) => faults.filter((fault) => stageOf(fault) === stage))
      .filter((faults) => faults.length > 0);
    if (here.length === 0) return [stage, []];
    const one = () => {
      const faults = here[random.below(here.length)]!;
      return faults[random.below(faults.length)]!;
    };
    return [stage, pairs ? [one(), one()] : [one()]];
  });
  return new Map(chosen.filter(([, faults]) => faults.length > 0));
}

/** Faults that a person named, sorted into their stages, in their order. @throws Error for one that is in no stage */
export function namedFaults(faults: readonly Fault[]): ReadonlyMap<Stage, readonly Fault[]> {
  const sorted = new Map<Stage, Fault[]>();
  for (const fault of faults) {
    const stage = stageOf(fault);
    if (stage === undefined)
      throw new Error(`a fault names a step that is in no stage: ${JSON.stringify(fault)}`);
    sorted.set(stage, [...(sorted.get(stage) ?? []), fault]);
  }
  return sorted;
}

function point(
  step: string,
  call: number,
  when: "before" | "after",
  what: "kill" | "hold" | "lost" | "429" | "500",
): Fault {
  return { kind: "failpoint", point: { step, call, when, what } };
}
