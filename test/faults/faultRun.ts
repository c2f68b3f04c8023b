import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RECORD_CALLS } from "../../components/cluster/failpoint";
import type { KubeClient } from "../../components/cluster/kubeClient";
import { carryConfig } from "../../rehearsal/carryRun";
import { auditLogPath } from "../../rehearsal/cluster/cluster";
import type { FaultProxy } from "../../rehearsal/faultProxy";
import { healInjected } from "../../rehearsal/injected/heal";
import { followJobLogs } from "../../rehearsal/jobLogs";
import { startLoad } from "../../rehearsal/load/clientLoad";
import { summarise } from "../../rehearsal/load/loadLog";
import { changedNothing, legsOf, selectLeg, type Leg } from "../../rehearsal/move";
import { watchProcesses } from "../../rehearsal/processWatch";
import { PulumiStack } from "../../rehearsal/pulumiStack";
import { keepServerLogs } from "../../rehearsal/serverLogs";
import { CANARY } from "../../rehearsal/source/content";
import { installSource, removeSource } from "../../rehearsal/source/install";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import type { SourceVariant } from "../../rehearsal/source/platformFiles";
import { installReseedJob } from "../../rehearsal/source/reseedJob";
import { gitConfig } from "../../rehearsal/stackConfig";
import { runnerKubeconfig } from "../../rehearsal/runner";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import { filesWith, forms, textsWith } from "../../rehearsal/leaks/leakScan";
import { objectsWith } from "../../rehearsal/leaks/leakedObjects";
import { parseRecord, type RecordedCall } from "./chooseFaults";
import { faultText, type Fault } from "./fault";
import { keyFaults, lookBefore, secretsOf, unheldClaims, untilServersAreReady } from "./oracles";
import type { MovePath } from "./movePath";
import { runFaultedStage, type FaultedStage } from "./faultedStage";

/** Each acknowledged write is an entry that each inventory of the run reads, and the look at its end. */
const WRITE_EVERY_MS = 200;
/** While packets are lost a wait goes to its bound: the next plain run has to go on from there, sooner. */
const POD_TIMEOUT_SECONDS = 120;
/** The hook that tries once: with the one that waits, each follower of each run would take two minutes. */
const SOURCE = { hook: "once", delivery: "flux" } as const;

export interface FaultRunOptions {
  readonly kube: KubeClient;
  readonly kubeconfig: string;
  readonly runDir: string;
  readonly keys: number;
  readonly seed: string;
  readonly path: MovePath;
  /** The source's data volumes are small file systems of their own. @default false */
  readonly smallVolumes?: boolean;
  /** Stands between the steps and the API server; `kubeconfig` leads through it. */
  readonly proxy: FaultProxy;
  readonly faults: ReadonlyMap<Leg, readonly Fault[]>;
  readonly log: (line: string) => void;
}

export interface FaultRunResult {
  readonly stages: readonly FaultedStage[];
  /** Every fault of the run, as `--faults` takes them, those of stages that it did not come to as well. */
  readonly planned: string;
  /** Each claim or oracle that did not hold, in words; empty when the run passed. */
  readonly failures: readonly string[];
  readonly acknowledged: number;
  /** Seconds of each part of the run: where its time goes. */
  readonly phases?: Readonly<Record<string, number>>;
  readonly calls: readonly RecordedCall[];
}

/** One whole move from a fresh source, with the faults given, and every oracle at its end. Never throws for a finding. */
export async function faultRun(options: FaultRunOptions): Promise<FaultRunResult> {
  const { kube, runDir, faults } = options;
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const phases = phaseClock();
  const stack = await freshSource(options, phases);
  const before = await lookBefore(kube);
  const record = join(runDir, "calls");
  // Its token ends with the store that a reseed gives up.
  const load =
    options.path.carry === "reseed"
      ? undefined
      : await startLoad(runDir, { kube, intervalMs: WRITE_EVERY_MS });
  const watch = watchProcesses(process.pid, { everyMs: 50 });
  const jobLogs = followJobLogs(kube, SOURCE_NAMESPACE, join(runDir, "jobs"));
  phases.end("start");
  const { stages, failures, noChange } = await moveWithFaults(options, stack, record, phases);
  const seen = await load?.stop();
  if (failures.length === 0)
    failures.push(...(await unheldClaims({ ...options, stack, before, seen, noChange })));
  failures.push(...(await keyFaults({ ...options, before })));
  await jobLogs.stop();
  const secrets = [...(await secretsOf(kube, before)), CANARY].flatMap(forms);
  const leaks = [
    ...filesWith(secrets, [runDir, auditLogPath()]),
    ...textsWith(secrets, await watch.stop()),
    ...(await objectsWith(secrets, kube, SOURCE_NAMESPACE)),
  ];
  for (const place of leaks) failures.push(`a secret leaked into ${place}`);
  if (failures.length > 0)
    await keepServerLogs(kube, SOURCE_NAMESPACE, join(runDir, "servers")).catch((error: unknown) =>
      failures.push(`the servers' logs could not be kept: ${String(error)}`),
    );
  phases.end("look");
  return {
    stages,
    planned: [...faults.values()].flat().map(faultText).join(" "),
    failures,
    acknowledged: seen === undefined ? 0 : summarise(seen).acknowledged,
    phases: phases.seconds,
    calls: stages.length === 0 && failures.length === 0 ? parseRecord(readFileSync(record, "utf8")) : [],
  };
}

/** What a run that failed left broken is mended, its source removed, and a new one made. @returns the stack that moves it */
async function freshSource(options: FaultRunOptions, phases: PhaseClock): Promise<PulumiStack> {
  const { kube, kubeconfig, runDir, keys, seed, log } = options;
  const { carry } = options.path;
  const storage = carry === "migrate" ? "file" : "raft";
  const source: SourceVariant = { ...SOURCE, storage, smallVolumes: options.smallVolumes === true };
  await healInjected(kube);
  await removeSource({ kube });
  phases.end("remove");
  await installSource({ keys, seed, log: () => undefined, kube, ...source });
  if (carry === "reseed") await installReseedJob(kube);
  await runnerKubeconfig(kube, { delivery: "flux", flux: false }, []);
  phases.end("install");
  const checkout = join(runDir, "platform");
  await makePlatformCheckout(checkout, source);
  const config = {
    git: gitConfig(checkout, "flux", false),
    inventory: { volatile: ["secret/load/"] },
    podTimeoutSeconds: POD_TIMEOUT_SECONDS,
    ...carryConfig(carry, runDir),
  };
  return new PulumiStack({ runDir, kubeconfig, config, log });
}

/** Every stage, with its faults where it has any; the first that does not end with 0 is the last. */
async function moveWithFaults(
  { runDir, kube, proxy, faults, path, log }: FaultRunOptions,
  stack: PulumiStack,
  record: string,
  phases: PhaseClock,
): Promise<{ stages: FaultedStage[]; failures: string[]; noChange: boolean }> {
  const stages: FaultedStage[] = [];
  try {
    const legs = legsOf(path);
    for (const [at, name] of legs.entries()) {
      await selectLeg(stack, name, path.rollback);
      // A stage that comes again after a way back has its faults then.
      const here = legs.lastIndexOf(name) === at ? faults.get(name) : undefined;
      if (here === undefined) await cleanStage(stack, name, record);
      else {
        const done = await runFaultedStage({ stack, runDir, kube, proxy }, here);
        stages.push(done);
        const { fault, reached, plainRuns } = done;
        log(`  ${name}: ${fault}, ${reached} of ${done.faults} reached, ${plainRuns} plain run(s)`);
      }
      phases.end(name);
    }
    // The gate stops a run while a server is away: that it does says nothing of what a second run would change.
    await untilServersAreReady(kube);
    return { stages, failures: [], noChange: changedNothing(await stack.up()) };
  } catch (error) {
    return { stages, failures: [textOf(error)], noChange: false };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type PhaseClock = ReturnType<typeof phaseClock>;

function phaseClock() {
  const seconds: Record<string, number> = {};
  let last = Date.now();
  return {
    seconds,
    end(name: string): void {
      const now = Date.now();
      seconds[name] = Math.round((now - last) / 100) / 10;
      last = now;
    },
  };
}

async function cleanStage(stack: PulumiStack, name: Leg, record: string): Promise<void> {
  const run = await stack.startUp({ [RECORD_CALLS]: record }).done;
  if (run.code !== 0)
    throw new Error(`stage ${name} without a fault ended with ${run.code}:\n${run.output.slice(-1500)}`);
}
