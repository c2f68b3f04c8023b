import { parseFailpoint, type Failpoint } from "../../components/cluster/failpoint";
import type { CarryPath } from "../../components/steps/carryPath";
import { planSteps } from "../../components/steps/plan";
import { PROXY_FAULTS, type ArmedFault } from "../../rehearsal/faultProxy";
import type { Leg } from "../../rehearsal/move";
import { LEGS } from "./movePath";
import {
  mayBreakAt,
  WORLD_FAULT_RECORDS,
  WORLD_FAULTS,
  worldFaultLines,
  type WorldFault,
} from "./worldFault";

/**
 * What happens to the whole run when a step has come to a call. int: Ctrl-C, once or twice. kill: a lost runner.
 * lost-state, old-state: killed, and Pulumi's checkpoint is gone, or is the one before. evict: the pods of the server
 * and of Jobs are deleted, and the run goes on. served: killed, and somebody starts a stopped server by hand, which
 * takes writes until the next run.
 */
export const RUN_FAULTS = [
  "int-once",
  "int-twice",
  "kill",
  "lost-state",
  "old-state",
  "evict",
  "served",
] as const;
export type RunFault = (typeof RUN_FAULTS)[number];

/** One thing that goes wrong in a stage. */
export type Fault =
  | { readonly kind: "failpoint"; readonly point: Failpoint }
  | { readonly kind: "proxy"; readonly stage: Leg; readonly fault: ArmedFault }
  | { readonly kind: "run"; readonly what: RunFault; readonly step: string; readonly call: number }
  | { readonly kind: "world"; readonly what: WorldFault; readonly step: string; readonly call: number };

const PATHS: readonly CarryPath[] = ["migrate", "restore", "reseed", "none"];
/** A step has the same stage on each data path that has it. */
const STAGE_OF = new Map(
  PATHS.flatMap((path) => planSteps("openbao", 3, path)).map((record) => [record.id, record.stage]),
);

/** As `--faults` takes it: `carry:2:after:kill`, `proxy:cutover:429:3`, `run:int-twice:carry:2`, `world:drain:flip:1`. */
export function faultText(fault: Fault): string {
  if (fault.kind === "run" || fault.kind === "world")
    return `${fault.kind}:${fault.what}:${fault.step}:${fault.call}`;
  if (fault.kind === "proxy") {
    const { what, at, times = 1 } = fault.fault;
    return `proxy:${fault.stage}:${what}:${at}${times > 1 ? `x${times}` : ""}`;
  }
  const { step, call, when, what } = fault.point;
  return [step, call, when, what].join(":");
}

/** @throws Error that shows the wanted forms. */
export function parseFault(text: string): Fault {
  const [kind = "", first = "", second = "", third = ""] = text.split(":");
  const wrong = () =>
    new Error(
      `fault ${JSON.stringify(text)}: expected STEP:CALL:before|after:WHAT, proxy:STAGE:${PROXY_FAULTS.join("|")}:NUMBER[xTIMES], run:${RUN_FAULTS.join("|")}:STEP:CALL or world:${WORLD_FAULTS.join("|")}:STEP:CALL (--list tells of each)`,
    );
  if (kind === "proxy") {
    const stage = LEGS.find((one) => one === first);
    const what = PROXY_FAULTS.find((one) => one === second);
    const [, at, times] = /^([1-9]\d*)(?:x([1-9]\d*))?$/.exec(third) ?? [];
    if (stage === undefined || what === undefined || at === undefined) throw wrong();
    return {
      kind,
      stage,
      fault: { what, at: Number(at), ...(times !== undefined && { times: Number(times) }) },
    };
  }
  if (kind === "run") {
    const what = RUN_FAULTS.find((one) => one === first);
    if (what === undefined || !STAGE_OF.has(second) || !/^[1-9]\d*$/.test(third)) throw wrong();
    return { kind, what, step: second, call: Number(third) };
  }
  if (kind === "world") {
    const what = WORLD_FAULTS.find((one) => one === first);
    const stage = stageOfStep(second);
    if (what === undefined || stage === undefined || !/^[1-9]\d*$/.test(third)) throw wrong();
    if (!mayBreakAt(what, stage, second))
      throw new Error(
        `fault ${JSON.stringify(text)}: ${what} is not done in step ${second}; npm run faults -- --list names its steps`,
      );
    return { kind, what, step: second, call: Number(third) };
  }
  try {
    return { kind: "failpoint", point: parseFailpoint(text) };
  } catch {
    throw wrong();
  }
}

/** The leg in which a fault is done; undefined for a step that is in none. */
export function stageOf(fault: Fault): Leg | undefined {
  if (fault.kind === "proxy") return fault.stage;
  return stageOfStep(fault.kind === "failpoint" ? fault.point.step : fault.step);
}

export function stageOfStep(step: string): Leg | undefined {
  const stage = STAGE_OF.get(step);
  return LEGS.find((one) => one === stage);
}

/** True when a run may end well although its fault was reached: it was tried again, or waited out. */
export function mayBeAbsorbed(fault: Fault): boolean {
  if (fault.kind === "proxy") return true;
  if (fault.kind === "world") return WORLD_FAULT_RECORDS[fault.what].outcome !== "holds";
  if (fault.kind === "run") return fault.what === "evict" || fault.what.startsWith("int-");
  return fault.point.what !== "kill" && fault.point.what !== "hold";
}

/** Every form of a fault, with what it does: what `npm run faults -- --list` prints. STEP and CALL come from a run. */
export function faultList(): string[] {
  return [
    "STEP:CALL:before|after:kill|hold|lost|429|500 (F1, F2, F7, F12, F13): the step dies, is killed, gets no reply or that answer, before or after its numbered mutating call; after: kill, hold, lost",
    ...PROXY_FAULTS.map(
      (what) =>
        `proxy:STAGE:${what}:NUMBER[xTIMES] (F11 to F15): ${PROXY_WORDS[what]}, at that request of the stage`,
    ),
    ...RUN_FAULTS.map((what) => `run:${what}:STEP:CALL ${RUN_WORDS[what]}`),
    ...worldFaultLines(),
  ];
}

const PROXY_WORDS: Readonly<Record<(typeof PROXY_FAULTS)[number], string>> = {
  "409": "the API server answers 409, without effect",
  "429": "the API server answers 429, without effect",
  "500": "the API server answers 500, without effect",
  "503": "the API server answers 503, without effect",
  "504": "the API server answers 504, without effect",
  refuse: "no connection to the API server",
  lost: "the effect happens, and its reply is cut",
  cut: "a stream ends after its first bytes",
};

const RUN_WORDS: Readonly<Record<RunFault, string>> = {
  "int-once": "(F3): Ctrl-C once",
  "int-twice": "(F4): Ctrl-C twice",
  kill: "(F1, F4): the whole run dies",
  "lost-state": "(F5): the run dies, and Pulumi's state is gone",
  "old-state": "(F6): the run dies, and Pulumi's state is the one before",
  evict: "(F16, F40, F42, F43): the pods of the server and of Jobs are deleted, and the run goes on",
  served: "(F68): the run dies, and a server that it had stopped is started by hand, and takes writes",
};
