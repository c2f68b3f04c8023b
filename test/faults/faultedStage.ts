import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FAILPOINT, REACHED, type Failpoint } from "../../components/cluster/failpoint";
import { killRun } from "../../rehearsal/killRun";
import type { PulumiRun, PulumiStack } from "../../rehearsal/pulumiStack";
import { failpointText } from "./chooseFaults";

/** A stage whose fault lasts longer than this has hung, which is a failure of its own. */
const FAULT_SECONDS = 900;
/** A fault may leave a Lease or a Job that the first plain `pulumi up` still meets. */
const PLAIN_RUNS = 3;

export interface FaultedStage {
  readonly fault: string;
  /** False when the step did not come to that call in this run. */
  readonly reached: boolean;
  /** Exit code of the faulted run; -1 when it was killed. */
  readonly code: number;
  /** Plain `pulumi up` runs until one ended with 0. */
  readonly plainRuns: number;
  /** What each plain run that did not end with 0 said. */
  readonly held: readonly string[];
}

/**
 * Runs one stage with a failpoint in it, then plain `pulumi up` until it ends with 0.
 * @throws Error when the faulted run claims success though its fault was reached, or plain runs do not end with 0.
 */
export async function runFaultedStage(
  stack: PulumiStack,
  runDir: string,
  fault: Failpoint,
): Promise<FaultedStage> {
  const marker = join(runDir, "failpoint-reached");
  rmSync(marker, { force: true });
  const first = await faultedRun(stack, fault, marker);
  const reached = existsSync(marker);
  const text = failpointText(fault);
  // A lost or refused unseal is tried again by the step itself: success is then the right end.
  const absorbed = fault.what !== "kill" && fault.what !== "hold";
  if (reached && first.code === 0 && !absorbed)
    throw new Error(`${text}: the run claims success though it was killed`);
  await stack.cancel();
  const held: string[] = [];
  let ended = first.code === 0;
  while (!ended && held.length < PLAIN_RUNS) {
    const run = await stack.up();
    ended = run.code === 0;
    if (!ended) {
      held.push(run.output.slice(-1500));
      await stack.cancel();
    }
  }
  if (!ended)
    throw new Error(`${text}: ${PLAIN_RUNS} plain runs did not end with 0; the last said:\n${held.at(-1)}`);
  return {
    fault: text,
    reached,
    code: first.code,
    plainRuns: first.code === 0 ? 0 : held.length + 1,
    held,
  };
}

async function faultedRun(stack: PulumiStack, fault: Failpoint, marker: string): Promise<PulumiRun> {
  const { child, done } = stack.startUp({ [FAILPOINT]: failpointText(fault), [REACHED]: marker });
  const end = Date.now() + FAULT_SECONDS * 1000;
  let run: PulumiRun | undefined;
  void done.then((ended) => (run = ended));
  while (run === undefined && Date.now() < end && !(fault.what === "hold" && existsSync(marker)))
    await delay(100);
  if (run !== undefined) return run;
  const hung = fault.what !== "hold";
  killRun(child);
  const killed = await done;
  if (hung)
    throw new Error(
      `${failpointText(fault)}: the run hung for ${FAULT_SECONDS} s:\n${killed.output.slice(-1500)}`,
    );
  return killed;
}
