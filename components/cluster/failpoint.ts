import { appendFileSync, writeFileSync } from "node:fs";
import { OpenBaoUnreachable } from "./openBaoClient";
import { KubeError } from "./kubeTransport";

/**
 * Environment variable of fault tests, never set otherwise: what goes wrong at which mutating call of a step, as
 * `STEP:CALL:WHEN:WHAT`, such as `carry:2:after:kill` (fault matrix rows 1, 2, 12, 13).
 */
export const FAILPOINT = "OPENBAO_MIGRATION_FAILPOINT";
/** Environment variable of fault tests: file that gets a line for each mutating call, to choose failpoints from. */
export const RECORD_CALLS = "OPENBAO_MIGRATION_RECORD_CALLS";
/** Environment variable of fault tests: file that a step writes when it reached its failpoint. */
export const REACHED = "OPENBAO_MIGRATION_FAILPOINT_REACHED";

export const WHEN = ["before", "after"] as const;
/** kill: the step dies. hold: it stands still until the test kills the whole run. lost: no reply. 429, 500: the answer. */
export const WHAT = ["kill", "hold", "lost", "429", "500"] as const;

export interface Failpoint {
  readonly step: string;
  /** Number of the mutating call in the step, from 1. */
  readonly call: number;
  readonly when: (typeof WHEN)[number];
  readonly what: (typeof WHAT)[number];
}

/** @throws Error that shows the wanted form. */
export function parseFailpoint(text: string): Failpoint {
  const [step = "", call = "", when = "", what = ""] = text.split(":");
  const known = (list: readonly string[], one: string) => list.includes(one);
  if (!/^[-a-z0-9]+$/.test(step) || !/^[1-9]\d*$/.test(call) || !known(WHEN, when) || !known(WHAT, what)) {
    throw new Error(
      `${FAILPOINT}: found ${JSON.stringify(text)}, expected STEP:CALL:${WHEN.join("|")}:${WHAT.join("|")}`,
    );
  }
  return { step, call: Number(call), when, what } as Failpoint;
}

let armed: { readonly step: string; calls: number; readonly failpoint?: Failpoint } | undefined;

/** Begins to count the calls of `step` in this process. Without the variables nothing is counted, and nothing fails. */
export function armFailpoint(step: string, env: NodeJS.ProcessEnv = process.env): void {
  const text = env[FAILPOINT];
  const failpoint = text === undefined ? undefined : parseFailpoint(text);
  const here = failpoint?.step === step;
  armed =
    here || env[RECORD_CALLS] !== undefined ? { step, calls: 0, ...(here && { failpoint }) } : undefined;
}

/** Sends one mutating call, or lets it fail as the armed failpoint says. `label` is method and path, no body. */
export async function mutating<T>(label: string, send: () => Promise<T>): Promise<T> {
  // Renewals of the Lease come by the clock: they would make the numbers differ from run to run.
  if (armed === undefined || label.includes("/leases")) return await send();
  const call = ++armed.calls;
  const record = process.env[RECORD_CALLS];
  if (record !== undefined) appendFileSync(record, `${armed.step} ${call} ${label}\n`, { mode: 0o600 });
  const { failpoint } = armed;
  if (failpoint?.call !== call) return await send();
  if (failpoint.when === "before") fail(failpoint, label);
  const answer = await send();
  if (failpoint.when === "after") fail(failpoint, label);
  return answer;
}

function fail({ what }: Failpoint, label: string): void {
  const reached = process.env[REACHED];
  if (reached !== undefined) writeFileSync(reached, `${label}\n`, { mode: 0o600 });
  if (what === "kill") process.kill(process.pid, "SIGKILL");
  if (what === "hold") process.kill(process.pid, "SIGSTOP");
  if (!label.includes(" /v1/")) {
    const status = what === "lost" ? 0 : Number(what);
    throw new KubeError(`${label}: failpoint ${what}`, status, what === "lost" ? "NoAnswer" : "Failpoint");
  }
  throw new OpenBaoUnreachable(`${label}: failpoint ${what}`);
}
