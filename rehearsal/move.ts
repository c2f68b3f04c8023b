import { setTimeout as delay } from "node:timers/promises";
import { STAGES, type Stage } from "../config";
import type { KubeClient } from "../components/cluster/kubeClient";
import { currentEntries, readJournal } from "../components/cluster/journal";
import { CLEANUP_CONFIG } from "./cleanupClaims";
import { killRun } from "./killRun";
import type { RehearsalOptions } from "./options";
import type { PulumiRun, PulumiStack } from "./pulumiStack";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

/** A stage, the way back, or what comes after. */
export type Leg = Stage | "rollback" | "cleanup";

export interface StageRun {
  readonly name: Leg;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly previewSeconds: number;
  readonly upSeconds: number;
  /** How long the gate of the preview looked; NaN when it does not say. */
  readonly lookSeconds: number;
  readonly summary: string;
  /** The gate's own lines of the preview. */
  readonly gate: readonly string[];
}

/** A stage that did not pass, with those that did before it. */
export class StageFailed extends Error {
  override readonly name = "StageFailed";
  constructor(
    readonly stage: Leg,
    readonly before: readonly StageRun[],
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const KILL_WAIT_SECONDS = 240;

/** The step of each stage in which the run is killed. */
function victimsOf(carry: RehearsalOptions["carry"]): Readonly<Record<Leg, string>> {
  const others = {
    network: "network-probe",
    replicas: "follower-1",
    verify: "failover-drill",
    land: "resume",
    rollback: "rollback-values",
    cleanup: "cleanup-file-data",
  };
  const own = {
    migrate: { backup: "file-copy", cutover: "flip" },
    restore: { backup: "snapshot", cutover: "restore" },
    reseed: { backup: "inventory-backup", cutover: "init" },
    none: { backup: "snapshot", cutover: "inventory-cutover" },
  };
  return { ...others, ...own[carry] };
}

/**
 * Takes the stack through every stage up to `until` (default: the last): `pulumi preview`, then `pulumi up`. With
 * `rollback` it first goes to that stage and back; with `cleanup` that comes last. With `kill` each stage is killed
 * once, started again, and run once more, which must change nothing.
 * @param reviewed merges what stage land pushed: its first `pulumi up`, which it is told, is held until then.
 * @throws StageFailed at the first that fails.
 */
export async function moveThroughStages(
  stack: PulumiStack,
  kube: KubeClient,
  how: Pick<RehearsalOptions, "kill" | "rollback" | "carry"> & {
    readonly until?: Stage;
    readonly cleanup?: boolean;
  },
  log: (line: string) => void,
  reviewed?: (held: PulumiRun) => Promise<void>,
): Promise<StageRun[]> {
  const victims = victimsOf(how.carry);
  const legs = legsOf(how);
  const runs: StageRun[] = [];
  for (const name of legs) {
    try {
      runs.push(await runLeg(name));
    } catch (cause) {
      throw new StageFailed(name, runs, cause);
    }
  }
  return runs;

  async function runLeg(name: Leg): Promise<StageRun> {
    const startedAt = new Date().toISOString();
    await selectLeg(stack, name, how.rollback);
    const preview = passed(name, "preview", await stack.preview());
    log(`${name}: previewed in ${preview.seconds.toFixed(1)} s`);
    // First: a run that is held for the review never acts in step `resume`, and could not be killed in it.
    if (name === "land" && reviewed !== undefined) await reviewed(await stack.up());
    if (how.kill) await killOnce(stack, kube, name, victims[name], log);
    const up = passed(name, "up", await stack.up());
    log(`${name}: done in ${up.seconds.toFixed(1)} s (${summaryOf(up)})`);
    // The caller does the last one.
    if (how.kill && name !== legs.at(-1)) refuseChange(name, await stack.up());
    return {
      name,
      startedAt,
      endedAt: new Date().toISOString(),
      previewSeconds: preview.seconds,
      upSeconds: up.seconds,
      lookSeconds: lookSeconds(preview.output),
      summary: summaryOf(up),
      gate: gateLines(preview),
    };
  }
}

/** Every leg in its order; a stage before a way back comes twice. */
export function legsOf({
  rollback,
  until,
  cleanup,
}: {
  readonly rollback?: Stage;
  readonly until?: Stage;
  readonly cleanup?: boolean;
}): Leg[] {
  const stages = STAGES.slice(0, STAGES.indexOf(until ?? "land") + 1);
  const there: Leg[] = cleanup === true ? [...stages, "cleanup"] : stages;
  if (rollback === undefined) return there;
  return [...STAGES.slice(0, STAGES.indexOf(rollback) + 1), "rollback", ...there];
}

/** @param rollback the stage that is taken back */
export function selectLeg(stack: PulumiStack, leg: Leg, rollback: Stage | undefined): Promise<void> {
  if (leg === "rollback") return stack.select(rollback ?? "network", { rollback: true });
  return leg === "cleanup" ? stack.select("land", { cleanup: CLEANUP_CONFIG }) : stack.select(leg);
}

/** "12 created, 3 unchanged" of a run's own summary. */
export function summaryOf(run: PulumiRun): string {
  const lines = [
    ...run.output.matchAll(/^\s+(?:[+~-]\s*)?(\d+) (created|updated|deleted|replaced|unchanged|to \w+)$/gm),
  ];
  return lines.map((match) => `${match[1]} ${match[2]}`).join(", ") || "no resource";
}

/** By the first line of the gate's report. */
export function lookSeconds(output: string): number {
  return Number(/^.*Gate: stage .*; looked for (\d+\.\d) s at /m.exec(output)?.[1] ?? NaN);
}

/** The table lines of the gate's report, and its count. */
function gateLines(run: PulumiRun): string[] {
  return run.output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(PASS|WARN|FAIL|UNKNOWN|WAIVED|LATER) {2,}/.test(line) || /^\d+ passed, /.test(line));
}

/** True when the run says that it changed nothing. */
export function changedNothing(run: PulumiRun): boolean {
  return run.code === 0 && !/ (created|updated|deleted|replaced)\b/.test(summaryOf(run));
}

function refuseChange(stage: Leg, again: PulumiRun): void {
  if (changedNothing(passed(stage, "up", again))) return;
  throw new Error(`a second pulumi up of stage ${stage} changed something: ${summaryOf(again)}`);
}

function passed(stage: Leg, what: string, run: PulumiRun): PulumiRun {
  if (run.code === 0) return run;
  throw new Error(`pulumi ${what} of stage ${stage} ended with ${run.code}:\n${run.output.slice(-6000)}`);
}

/**
 * Starts `pulumi up`, waits until the stage's victim has begun to act, and kills everything at once with
 * SIGKILL, as a lost runner would be.
 */
async function killOnce(
  stack: PulumiStack,
  kube: KubeClient,
  stage: Leg,
  victim: string,
  log: (line: string) => void,
): Promise<void> {
  const { child, done } = stack.startUp();
  const end = Date.now() + KILL_WAIT_SECONDS * 1000;
  let acting = false;
  while (!acting && child.exitCode === null && Date.now() < end) {
    const entries = currentEntries(await readJournal(kube, SOURCE_NAMESPACE));
    acting = entries.some((entry) => entry.step === victim && entry.beat === "act");
    if (!acting) await delay(50);
  }
  killRun(child);
  await done;
  log(`${stage}: killed ${acting ? `in step ${victim}` : "at its end"}; starting it again`);
  await stack.cancel();
}
