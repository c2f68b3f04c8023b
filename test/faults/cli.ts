// Random faults in each stage of a whole move: `npm run faults -- --runs N --seed S [--keys K] [--pairs]`. The first run
// has no fault: it records each mutating call, from which the others choose. `--faults "TEXT TEXT"` does one run with
// the faults that a summary names. The cluster is left up, and each result is a line of results.jsonl at once.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kubeClient, loadKubeConfig } from "../../components/cluster/kubeClient";
import { cacheDir } from "../../rehearsal/cache";
import { kubeconfigPath, up } from "../../rehearsal/cluster/cluster";
import { API_URL } from "../../rehearsal/cluster/layout";
import { pkiFile } from "../../rehearsal/cluster/pki";
import { kubeconfigThrough, startFaultProxy, type FaultProxy } from "../../rehearsal/faultProxy";
import { endThrowAwayOnSignal } from "../../rehearsal/interrupt";
import { randomStream } from "../../rehearsal/source/randomStream";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import { startHelmController } from "../../rehearsal/standins/helmController/start";
import { ensureTools, toolPath } from "../../rehearsal/tools/tools";
import { chooseFaults, namedFaults, type RecordedCall } from "./chooseFaults";
import { faultText, parseFault } from "./fault";
import { faultRun, type FaultRunOptions, type FaultRunResult } from "./faultRun";
import { summaryOf, type NumberedRun } from "./summary";

const started = Date.now();

function log(line: string): void {
  console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s] ${line}`);
}

function wholeNumber(name: string, text: string, least: number): number {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new Error(
      `--${name} ${JSON.stringify(text)}: expected a whole number of at least ${least}, such as --${name} ${least}`,
    );
  return Number(text);
}

interface Campaign {
  readonly runs: number;
  readonly keys: number;
  readonly seed: string;
  readonly pairs: boolean;
  /** Faults of the one run that is wanted; absent: they are chosen. */
  readonly named?: FaultRunOptions["faults"];
}

/** @throws Error that names the wrong option. */
function campaignOf(args: readonly string[]): Campaign {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      keys: { type: "string", default: "50" },
      pairs: { type: "boolean", default: false },
      faults: { type: "string" },
    },
  });
  const texts = values.faults?.split(/\s+/).filter((text) => text !== "");
  return {
    runs: wholeNumber("runs", values.runs, 1),
    keys: wholeNumber("keys", values.keys, 10),
    seed: values.seed,
    pairs: values.pairs,
    ...(texts !== undefined && { named: namedFaults(texts.map(parseFault)) }),
  };
}

async function campaign(what: Campaign): Promise<number> {
  await ensureTools(log);
  await up(log);
  process.env["KUBECONFIG"] = kubeconfigPath();
  const config = loadKubeConfig();
  await installCrds(config);
  const controller = await startHelmController(kubeconfigPath(), { helm: toolPath("helm") });
  const folder = cacheDir("runs", `faults-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  log(`results: ${join(folder, "results.jsonl")}`);
  const proxy = await proxyBeforeCluster();
  const kubeconfig = join(folder, "kubeconfig");
  kubeconfigThrough(proxy, readFileSync(kubeconfigPath(), "utf8"), kubeconfig);
  const run = async (number: number, faults: FaultRunOptions["faults"]): Promise<NumberedRun> => {
    const runDir = join(folder, `run-${number}`);
    const at = Date.now();
    const { keys, seed } = what;
    const result = await held(faults, () =>
      faultRun({ kube: kubeClient(config), kubeconfig, proxy, runDir, keys, seed, faults, log }),
    );
    const done = { run: number, seconds: (Date.now() - at) / 1000, result };
    const { calls: _calls, ...kept } = result;
    appendFileSync(join(folder, "results.jsonl"), `${JSON.stringify({ ...done, result: kept })}\n`);
    const good = result.failures.length === 0;
    log(
      `run ${number}: ${good ? "holds" : `FAILS: ${result.failures.join("; ")}`} (${done.seconds.toFixed(0)} s)`,
    );
    // Hundreds of runs fill a disk; one that failed is kept to be looked at.
    if (good) rmSync(runDir, { recursive: true, force: true });
    return done;
  };
  try {
    const done = what.named === undefined ? await chosen(what, run) : [await run(1, what.named)];
    for (const line of summaryOf(done, what.seed)) log(line);
    return done.length > 0 && done.every(({ result }) => result.failures.length === 0) ? 0 : 1;
  } finally {
    await proxy.stop();
    await controller.stop();
  }
}

async function chosen(
  { runs, seed, pairs }: Campaign,
  run: (number: number, faults: FaultRunOptions["faults"]) => Promise<NumberedRun>,
): Promise<NumberedRun[]> {
  log("recording a run without a fault");
  const first = await run(0, new Map());
  if (first.result.failures.length > 0) return [first];
  const calls: readonly RecordedCall[] = first.result.calls;
  log(`${calls.length} mutating calls recorded`);
  const done: NumberedRun[] = [];
  for (let number = 1; number <= runs; number++) {
    log(`run ${number} of ${runs}`);
    done.push(await run(number, chooseFaults(calls, randomStream("faults", seed, number), pairs)));
  }
  return done;
}

/** A run that could not even be begun ends no campaign of hours: it is one that failed. */
async function held(
  faults: FaultRunOptions["faults"],
  work: () => Promise<FaultRunResult>,
): Promise<FaultRunResult> {
  try {
    return await work();
  } catch (error) {
    const planned = [...faults.values()].flat().map(faultText).join(" ");
    const failures = [error instanceof Error ? error.message : String(error)];
    return { stages: [], planned, failures, acknowledged: 0, calls: [] };
  }
}

/** It shows the API server's own certificate, and sends on as the admin. */
function proxyBeforeCluster(): Promise<FaultProxy> {
  const file = (name: string) => readFileSync(pkiFile(name));
  return startFaultProxy({
    upstream: API_URL,
    client: { keepAlive: true, ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") },
    server: { cert: file("apiserver.crt"), key: file("apiserver.key") },
  });
}

void (async () => {
  try {
    const what = campaignOf(process.argv.slice(2));
    endThrowAwayOnSignal(log);
    process.exitCode = await campaign(what);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
})();
