import { parseFailpoint, type Failpoint } from "../../components/cluster/failpoint";
import { planSteps } from "../../components/steps/plan";
import { STAGES, type Stage } from "../../config";
import { PROXY_FAULTS, type ArmedFault } from "../../rehearsal/faultProxy";

/**
 * What happens to the whole run when a step has come to a call. int: Ctrl-C, once or twice. kill: a lost runner.
 * lost-state, old-state: killed, and Pulumi's checkpoint is gone, or is the one before. evict: the pods of the server
 * and of Jobs are deleted, and the run goes on.
 */
export const RUN_FAULTS = ["int-once", "int-twice", "kill", "lost-state", "old-state", "evict"] as const;
export type RunFault = (typeof RUN_FAULTS)[number];

/** One thing that goes wrong in a stage. */
export type Fault =
  | { readonly kind: "failpoint"; readonly point: Failpoint }
  | { readonly kind: "proxy"; readonly stage: Stage; readonly fault: ArmedFault }
  | { readonly kind: "run"; readonly what: RunFault; readonly step: string; readonly call: number };

const STAGE_OF = new Map(planSteps("openbao", 3).map((record) => [record.id, record.stage]));

/** As `--faults` takes it: `carry:2:after:kill`, `proxy:cutover:429:3`, `run:int-twice:carry:2`. */
export function faultText(fault: Fault): string {
  if (fault.kind === "run") return `run:${fault.what}:${fault.step}:${fault.call}`;
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
      `fault ${JSON.stringify(text)}: expected STEP:CALL:before|after:WHAT, proxy:STAGE:${PROXY_FAULTS.join("|")}:NUMBER[xTIMES] or run:${RUN_FAULTS.join("|")}:STEP:CALL`,
    );
  if (kind === "proxy") {
    const stage = STAGES.find((one) => one === first);
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
  try {
    return { kind: "failpoint", point: parseFailpoint(text) };
  } catch {
    throw wrong();
  }
}

/** The stage in which a fault is done; undefined for a step that is in none. */
export function stageOf(fault: Fault): Stage | undefined {
  if (fault.kind === "proxy") return fault.stage;
  const stage = STAGE_OF.get(fault.kind === "run" ? fault.step : fault.point.step);
  return STAGES.find((one) => one === stage);
}

/** True when a run may end well although its fault was reached: it was tried again, or waited out. */
export function mayBeAbsorbed(fault: Fault): boolean {
  if (fault.kind === "proxy") return true;
  if (fault.kind === "run") return fault.what === "evict" || fault.what.startsWith("int-");
  return fault.point.what !== "kill" && fault.point.what !== "hold";
}
