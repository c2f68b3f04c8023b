import type { Leg } from "../../rehearsal/move";
import { PROXY_FAULTS } from "../../rehearsal/faultProxy";
import { randomStream, type RandomStream } from "../../rehearsal/source/randomStream";
import { RUN_FAULTS, stageOf, stageOfStep, type Fault } from "./fault";
import { LEGS } from "./movePath";
import { mayBreakAt, WORLD_FAULT_RECORDS, WORLD_FAULTS, type WorldFault } from "./worldFault";

/** One mutating call that a clean run was seen to make. */
export interface RecordedCall {
  readonly step: string;
  readonly call: number;
  /** Method and path. */
  readonly label: string;
}

/** Parses the lines that runs with OPENBAO_MIGRATION_RECORD_CALLS wrote. Of a step that ran twice the later one counts. */
export function parseRecord(text: string): RecordedCall[] {
  const calls = [...text.matchAll(/^(\S+) (\d+) (.+)$/gm)].map(([, step = "", call, label = ""]) => ({
    step,
    call: Number(call),
    label,
  }));
  return calls.filter(
    ({ step }, at) => !calls.slice(at + 1).some((later) => later.step === step && later.call === 1),
  );
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
  const numbers = proxyNumbers(calls);
  return calls.flatMap(({ step, call }) => {
    const stage = stageOfStep(step);
    const at = numbers.get(`${step} ${call}`);
    if (stage === undefined || at === undefined) return [];
    const runs = RUN_FAULTS.map((what): Fault => ({ kind: "run", what, step, call }));
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
  readonly seed: string;
  /** Number of the run, from 1. */
  readonly run: number;
  /** Two faults in each stage, one after the other. @default false */
  readonly pairs?: boolean;
  /** The source's data volumes can be filled. @default false */
  readonly smallVolumes?: boolean;
}

/**
 * Faults for each stage that has recorded calls, one of them a stage, or with `pairs` two that come after each other.
 * Each stage's calls are dealt out as cards are: one comes again when every other has been used. What happens at a call
 * is drawn: failpoints, faults from outside and faults of the world come as often as each other, where it has them.
 */
export function chooseFaults(
  calls: readonly RecordedCall[],
  { seed, run, pairs = false, smallVolumes = false }: Choice,
): ReadonlyMap<Leg, readonly Fault[]> {
  const random = randomStream("faults", seed, run);
  const kinds = [everyFailpoint(calls), everyOuterFault(calls), everyWorldFault(calls, smallVolumes)];
  const numbers = proxyNumbers(calls);
  const chosen = LEGS.map((stage): [Leg, Fault[]] => {
    const here = calls.filter(({ step }) => stageOfStep(step) === stage);
    if (here.length === 0) return [stage, []];
    const deck = shuffled(here, randomStream("calls", seed, stage));
    const cards = pairs ? [2 * run - 2, 2 * run - 1] : [run - 1];
    // The second of a pair comes after the first: a step that is done makes no call again.
    const dealt = cards
      .map((at) => deck[at % deck.length]!)
      .sort((a, b) => here.indexOf(a) - here.indexOf(b));
    return [stage, dealt.map((card) => oneOf(kinds, (fault) => isAt(fault, card, numbers), random))];
  });
  return new Map(chosen.filter(([, faults]) => faults.length > 0));
}

function oneOf(
  kinds: readonly (readonly Fault[])[],
  fits: (fault: Fault) => boolean,
  random: RandomStream,
): Fault {
  const here = kinds.map((faults) => faults.filter(fits)).filter((faults) => faults.length > 0);
  const faults = here[random.below(here.length)]!;
  return faults[random.below(faults.length)]!;
}

/** Whether a fault comes at that call. */
export function isAt(
  fault: Fault,
  { step, call }: RecordedCall,
  numbers: ReturnType<typeof proxyNumbers>,
): boolean {
  if (fault.kind === "proxy")
    return fault.stage === stageOfStep(step) && fault.fault.at === numbers.get(`${step} ${call}`);
  const at = fault.kind === "failpoint" ? fault.point : fault;
  return at.step === step && at.call === call;
}

/** The number that a fault of the API server has for each call: its place in its stage. */
export function proxyNumbers(calls: readonly RecordedCall[]): ReadonlyMap<string, number> {
  const inStage = new Map<Leg, number>();
  return new Map(
    calls.flatMap(({ step, call }): [string, number][] => {
      const stage = stageOfStep(step);
      if (stage === undefined) return [];
      const at = (inStage.get(stage) ?? 0) + 1;
      inStage.set(stage, at);
      return [[`${step} ${call}`, at]];
    }),
  );
}

/** Fisher and Yates. */
function shuffled<T>(all: readonly T[], random: RandomStream): T[] {
  const deck = [...all];
  for (let left = deck.length; left > 1; left--) {
    const at = random.below(left);
    [deck[left - 1], deck[at]] = [deck[at]!, deck[left - 1]!];
  }
  return deck;
}

/** Faults that a person named, sorted into their stages, in their order. @throws Error for one that is in no stage */
export function namedFaults(faults: readonly Fault[]): ReadonlyMap<Leg, readonly Fault[]> {
  const sorted = new Map<Leg, Fault[]>();
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
