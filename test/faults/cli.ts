// Random faults in each stage of a whole move: `npm run faults -- --runs N --seed S [--keys K] [--pairs] [--continue]`.
// The first run has no fault: it records each mutating call, from which the others choose. `--carry PATH` takes another
// data path than migrate; `--rollback STAGE` goes there, and back, before the faults; `--cleanup` comes last. `--faults "TEXT TEXT"` does one run with the faults that a summary names; `--list` tells of
// the forms. The cluster is left up. Each result is a
// line of the seed's file at once, and `--continue` goes on where a campaign of the same seed ended.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kubeClient, loadKubeConfig } from "../../components/cluster/kubeClient";
import { cacheDir } from "../../rehearsal/cache";
import { kubeconfigPath, up } from "../../rehearsal/cluster/cluster";
import { API_URL } from "../../rehearsal/cluster/layout";
import { pkiFile, RUNNER } from "../../rehearsal/cluster/pki";
import { kubeconfigThrough, startFaultProxy, type FaultProxy } from "../../rehearsal/faultProxy";
import { healInjected } from "../../rehearsal/injected/heal";
import { endThrowAwayOnSignal } from "../../rehearsal/interrupt";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import { startHelmController } from "../../rehearsal/standins/helmController/start";
import { ensureTools, toolPath } from "../../rehearsal/tools/tools";
import { campaignOf, type Campaign } from "./campaignOptions";
import { CampaignResults, programOf } from "./campaignResults";
import { chosenRuns, type DoRun } from "./chosenRuns";
import { faultList, faultText } from "./fault";
import { faultRun, type FaultRunOptions, type FaultRunResult } from "./faultRun";
import { summaryOf, type NumberedRun } from "./summary";

const started = Date.now();

function log(line: string): void {
  console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s] ${line}`);
}

async function campaign(what: Campaign): Promise<number> {
  await ensureTools(log);
  await up(log);
  process.env["KUBECONFIG"] = kubeconfigPath();
  const config = loadKubeConfig();
  const kube = kubeClient(config);
  endThrowAwayOnSignal(log, () => healInjected(kube));
  await installCrds(config);
  const controller = await startHelmController(kubeconfigPath(), { helm: toolPath("helm") });
  const folder = cacheDir("runs", `faults-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { keys, seed, carry, rollback, cleanup, pairs, smallVolumes } = what;
  const path = { carry, ...(rollback !== undefined && { rollback }), cleanup };
  const file =
    what.named === undefined ? cacheDir("faults", `seed-${seed}.jsonl`) : join(folder, "results.jsonl");
  const results = new CampaignResults(
    file,
    { program: programOf(), keys, path, pairs, smallVolumes },
    what.goOn,
  );
  log(`results: ${file}`);
  const proxy = await proxyBeforeCluster();
  const kubeconfig = join(folder, "kubeconfig");
  kubeconfigThrough(proxy, readFileSync(kubeconfigPath(), "utf8"), kubeconfig);
  const run = async (number: number, faults: FaultRunOptions["faults"]): Promise<NumberedRun> => {
    const runDir = join(folder, `run-${number}`);
    const at = Date.now();
    const result = await held(faults, () =>
      faultRun({ kube, kubeconfig, proxy, runDir, keys, seed, path, smallVolumes, faults, log }),
    );
    const done = { run: number, seconds: (Date.now() - at) / 1000, result };
    const good = result.failures.length === 0;
    log(
      `run ${number}: ${good ? "holds" : `FAILS: ${result.failures.join("; ")}`} (${done.seconds.toFixed(0)} s)`,
    );
    // Hundreds of runs fill a disk; one that failed is kept to be looked at.
    if (good) rmSync(runDir, { recursive: true, force: true });
    return done;
  };
  try {
    const done =
      what.named === undefined
        ? await chosenRuns(what, results, run, log)
        : [await named(what.named, results, run)];
    for (const line of [...summaryOf(done, what, results.calls()), ...results.apart()]) log(line);
    return done.length > 0 && done.every(({ result }) => result.failures.length === 0) ? 0 : 1;
  } finally {
    await healInjected(kube);
    await proxy.stop();
    await controller.stop();
  }
}

async function named(
  faults: FaultRunOptions["faults"],
  results: CampaignResults,
  run: DoRun,
): Promise<NumberedRun> {
  const done = await run(1, faults);
  results.add(done);
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

/** It shows the API server's own certificate, and sends on as the user that runs Pulumi. */
function proxyBeforeCluster(): Promise<FaultProxy> {
  const file = (name: string) => readFileSync(pkiFile(name));
  return startFaultProxy({
    upstream: API_URL,
    client: { keepAlive: true, ca: file("ca.crt"), cert: file(`${RUNNER}.crt`), key: file(`${RUNNER}.key`) },
    server: { cert: file("apiserver.crt"), key: file("apiserver.key") },
  });
}

void (async () => {
  try {
    const what = campaignOf(process.argv.slice(2));
    if (what === undefined) for (const line of faultList()) console.log(line);
    else process.exitCode = await campaign(what);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
})();
