import { breakRun, type Breaker } from "./breakRun";
import type { PulumiRun } from "../../rehearsal/pulumiStack";
import { faultText, mayBeAbsorbed, type Fault } from "./fault";
import { wrongOutcome } from "./worldFault";

/** A fault may leave a Lease or a Job that the first plain `pulumi up` still meets. */
const PLAIN_RUNS = 3;
/** A server that the fault has taken away needs a while to come back: until then the gate stops each run, and nothing is touched. */
const GATE_MS = 180_000;
const STOPPED_BY_GATE = "the gate stopped this run before anything was touched";

export interface FaultedStage {
  /** The faults in their order, as `--faults` takes them. */
  readonly fault: string;
  /** How many of them the runs came to. */
  readonly reached: number;
  /** Which they are, as `--faults` takes them. */
  readonly hit: readonly string[];
  readonly faults: number;
  /** Plain `pulumi up` runs until one ended with 0. */
  readonly plainRuns: number;
  /** What each plain run that did not end with 0 said. */
  readonly held: readonly string[];
}

/**
 * Runs one stage with its faults, one run a fault, then plain `pulumi up` until it ends with 0.
 * @throws Error when a run claims success though it was killed or had to hold, ends without a reason, or plain runs do not end with 0.
 */
export async function runFaultedStage(breaker: Breaker, faults: readonly Fault[]): Promise<FaultedStage> {
  const { stack } = breaker;
  const text = faults.map(faultText).join(" ");
  const hit: string[] = [];
  let ended = false;
  for (const fault of faults) {
    const broken = await breakRun(breaker, fault);
    if (broken.reached) hit.push(faultText(fault));
    ended = broken.run.code === 0;
    const wrong = broken.reached ? wrongEnd(fault, broken.run) : undefined;
    if (wrong !== undefined) throw new Error(`${faultText(fault)}: ${wrong}`);
    // A stage that is done has nothing left for the second fault, and no lock.
    if (ended) break;
    await stack.cancel();
  }
  const byFault = ended;
  const held: string[] = [];
  const gateUntil = Date.now() + GATE_MS;
  while (!ended && held.length < PLAIN_RUNS) {
    const run = await stack.up();
    ended = run.code === 0;
    if (ended) break;
    await stack.cancel();
    const waits = run.output.includes(STOPPED_BY_GATE) && Date.now() < gateUntil;
    if (!waits) held.push(run.output.slice(-1500));
  }
  if (!ended)
    throw new Error(`${text}: ${PLAIN_RUNS} plain runs did not end with 0; the last said:\n${held.at(-1)}`);
  const plainRuns = byFault ? 0 : held.length + 1;
  return { fault: text, reached: hit.length, hit, faults: faults.length, plainRuns, held };
}

function wrongEnd(fault: Fault, run: PulumiRun): string | undefined {
  if (fault.kind === "world") return wrongOutcome(fault.what, run);
  return run.code === 0 && !mayBeAbsorbed(fault) ? "the run claims success though it was killed" : undefined;
}
