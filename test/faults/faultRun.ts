import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RECORD_CALLS } from "../../components/cluster/failpoint";
import type { KubeClient } from "../../components/cluster/kubeClient";
import { readKeySecret } from "../../components/cluster/keySecret";
import { STAGES, type Stage } from "../../config";
import { auditLogPath } from "../../rehearsal/cluster/cluster";
import type { FaultProxy } from "../../rehearsal/faultProxy";
import { followJobLogs } from "../../rehearsal/jobLogs";
import { startLoad } from "../../rehearsal/load/clientLoad";
import { summarise, type LoadLog } from "../../rehearsal/load/loadLog";
import { changedNothing } from "../../rehearsal/move";
import { claimsOf, observeOutcome } from "../../rehearsal/outcome";
import { watchProcesses } from "../../rehearsal/processWatch";
import { PulumiStack } from "../../rehearsal/pulumiStack";
import { installSource, removeSource } from "../../rehearsal/source/install";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import type { SourceVariant } from "../../rehearsal/source/platformFiles";
import { gitConfig } from "../../rehearsal/stackConfig";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import { filesWith, forms, textsWith } from "../support/leakScan";
import { objectsWith } from "../support/leakedObjects";
import { parseRecord, type RecordedCall } from "./chooseFaults";
import { faultText, type Fault } from "./fault";
import { runFaultedStage, type FaultedStage } from "./faultedStage";

/** The hook that tries once: with the one that waits, each follower of each run would take two minutes. */
const SOURCE: SourceVariant = { storage: "file", hook: "once", delivery: "flux" };
const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };

export interface FaultRunOptions {
  readonly kube: KubeClient;
  readonly kubeconfig: string;
  readonly runDir: string;
  readonly keys: number;
  readonly seed: string;
  /** Stands between the steps and the API server; `kubeconfig` leads through it. */
  readonly proxy: FaultProxy;
  readonly faults: ReadonlyMap<Stage, readonly Fault[]>;
  readonly log: (line: string) => void;
}

export interface FaultRunResult {
  readonly stages: readonly FaultedStage[];
  /** Every fault of the run, as `--faults` takes them, those of stages that it did not come to as well. */
  readonly planned: string;
  /** Each claim or oracle that did not hold, in words; empty when the run passed. */
  readonly failures: readonly string[];
  readonly acknowledged: number;
  readonly calls: readonly RecordedCall[];
}

/** One whole move from a fresh source, with the faults given, and every oracle at its end. Never throws for a finding. */
export async function faultRun(options: FaultRunOptions): Promise<FaultRunResult> {
  const { kube, runDir, keys, seed, log, faults } = options;
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  await removeSource({ kube });
  await installSource({ keys, seed, log: () => undefined, kube, ...SOURCE });
  const keysBefore = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const checkout = join(runDir, "platform");
  await makePlatformCheckout(checkout, SOURCE);
  const stack = new PulumiStack({
    runDir,
    kubeconfig: options.kubeconfig,
    config: {
      git: gitConfig(checkout, "flux", false),
      inventory: { volatile: ["secret/load/"] },
    },
    log,
  });
  const record = join(runDir, "calls");
  const stages: FaultedStage[] = [];
  const failures: string[] = [];
  let noChange = false;
  const load = await startLoad(runDir, { kube });
  const watch = watchProcesses(process.pid, { everyMs: 50 });
  const jobLogs = followJobLogs(kube, SOURCE_NAMESPACE, join(runDir, "jobs"));
  let seen: LoadLog;
  try {
    for (const name of STAGES) {
      await stack.select(name);
      const here = faults.get(name);
      if (here === undefined) await cleanStage(stack, name, record);
      else {
        const done = await runFaultedStage({ stack, runDir, kube, proxy: options.proxy }, here);
        stages.push(done);
        log(
          `  ${name}: ${done.fault}, ${done.reached} of ${done.faults} reached, ${done.plainRuns} plain run(s)`,
        );
      }
    }
    noChange = changedNothing(await stack.up());
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    seen = await load.stop();
  }
  if (failures.length === 0) {
    const outcome = await observeOutcome(kube, [seen], { seed, keys });
    const { evidence } = await stack.outputs();
    for (const claim of claimsOf(outcome, seen, noChange, evidence))
      if (!claim.holds) failures.push(`${claim.claim}: ${claim.seen}`);
  }
  const after = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  if (after.unsealKey !== keysBefore.unsealKey || after.rootToken !== keysBefore.rootToken)
    failures.push("the key Secret is not what it was before");
  await jobLogs.stop();
  const secrets = [after.unsealKey, after.rootToken, "canary-"].flatMap(forms);
  const leaks = [
    ...filesWith(secrets, [runDir, auditLogPath()]),
    ...textsWith(secrets, await watch.stop()),
    ...(await objectsWith(secrets, kube, SOURCE_NAMESPACE)),
  ];
  for (const place of leaks) failures.push(`a secret leaked into ${place}`);
  return {
    stages,
    planned: [...faults.values()].flat().map(faultText).join(" "),
    failures,
    acknowledged: summarise(seen).acknowledged,
    calls: stages.length === 0 && failures.length === 0 ? parseRecord(readFileSync(record, "utf8")) : [],
  };
}

async function cleanStage(stack: PulumiStack, name: Stage, record: string): Promise<void> {
  const run = await stack.startUp({ [RECORD_CALLS]: record }).done;
  if (run.code !== 0)
    throw new Error(`stage ${name} without a fault ended with ${run.code}:\n${run.output.slice(-1500)}`);
}
