// Random faults, one in each stage of a whole move: `npm run faults -- --runs N --seed S [--keys K]`. The first run has
// no fault: it records each mutating call, from which the others choose. The cluster is left up.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kubeClient, loadKubeConfig } from "../../components/cluster/kubeClient";
import { cacheDir } from "../../rehearsal/cache";
import { kubeconfigPath, up } from "../../rehearsal/cluster/cluster";
import { randomStream } from "../../rehearsal/source/randomStream";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import { startHelmController } from "../../rehearsal/standins/helmController/start";
import { ensureTools, toolPath } from "../../rehearsal/tools/tools";
import { chooseFaults, type RecordedCall } from "./chooseFaults";
import { faultRun } from "./faultRun";
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

async function campaign(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      keys: { type: "string", default: "50" },
    },
  });
  const runs = wholeNumber("runs", values.runs, 1);
  const keys = wholeNumber("keys", values.keys, 10);
  await ensureTools(log);
  await up(log);
  process.env["KUBECONFIG"] = kubeconfigPath();
  const config = loadKubeConfig();
  await installCrds(config);
  const controller = await startHelmController(kubeconfigPath(), { helm: toolPath("helm") });
  const folder = cacheDir("runs", `faults-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const done: NumberedRun[] = [];
  let calls: readonly RecordedCall[] = [];
  try {
    for (let run = 0; run <= runs; run++) {
      const faults = chooseFaults(calls, randomStream("faults", values.seed, run));
      log(run === 0 ? "recording a run without a fault" : `run ${run} of ${runs}`);
      const at = Date.now();
      const result = await faultRun({
        kube: kubeClient(config),
        kubeconfig: kubeconfigPath(),
        runDir: join(folder, `run-${run}`),
        keys,
        seed: values.seed,
        faults,
        log,
      });
      const seconds = (Date.now() - at) / 1000;
      log(
        `run ${run}: ${result.failures.length === 0 ? "holds" : `FAILS: ${result.failures.join("; ")}`} (${seconds.toFixed(0)} s)`,
      );
      if (run === 0) {
        if (result.failures.length > 0) return 1;
        calls = result.calls;
        log(`${calls.length} mutating calls recorded`);
      } else done.push({ run, seconds, result });
    }
  } finally {
    await controller.stop();
  }
  for (const line of summaryOf(done)) log(line);
  return done.every(({ result }) => result.failures.length === 0) ? 0 : 1;
}

void (async () => {
  try {
    process.exitCode = await campaign(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
})();
