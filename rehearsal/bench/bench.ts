import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kubeClient, loadKubeConfig, type KubeClient } from "../../components/cluster/kubeClient";
import { readJournal } from "../../components/cluster/journal";
import { cacheDir } from "../cache";
import { kubeconfigPath, up } from "../cluster/cluster";
import { DEFAULT_PERFORMANCE_MULTIPLIER, raftKeys } from "../../components/raftKeys";
import { until } from "../../components/steps/world";
import { endThrowAwayOnSignal } from "../interrupt";
import { readLoadLog, startLoad } from "../load/clientLoad";
import { longestOutage, type LoadLog } from "../load/loadLog";
import { moveThroughStages } from "../move";
import { PulumiStack } from "../pulumiStack";
import { installSource, removeSource } from "../source/install";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";
import { installCrds } from "../standins/crds/installCrds";
import { startHelmController } from "../standins/helmController/start";
import { ensureTools, toolPath } from "../tools/tools";
import { benchTable, type BenchRow, type Measured } from "./benchTable";
import { moveByHand } from "./handMove";

const USAGE = `npm run bench -- [--sizes 1000,10000,100000] [--performance-multiplier N]
Measures the cutover at each number of KV keys on the throw-away cluster: the client's write outage and the copy
rate, of this program and of the bare sequence by hand (scale 0, bao operator migrate, start, unseal, with OpenBao's own
Raft timing). --performance-multiplier is the program's config key (1 to 10, default 5, OpenBao's own).`;
const started = Date.now();
/** Bound of the wait for the client's first write after the move by hand. */
const WRITE_SECONDS = 60;

function log(line: string): void {
  console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`);
}

interface Wanted {
  readonly sizes: readonly number[];
  /** Config of the program's stack. */
  readonly config: { readonly performanceMultiplier: number };
}

/** @throws Error for a size that is no number from 10 to 200000, or a multiplier that is none from 1 to 10 */
function wantedOf(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: "string", default: "1000,10000,100000" },
      "performance-multiplier": { type: "string", default: String(DEFAULT_PERFORMANCE_MULTIPLIER) },
    },
  });
  const sizes = values.sizes.split(",").map((text) => {
    const size = Number(text);
    if (/^\d+$/.test(text) && size >= 10 && size <= 200_000) return size;
    throw new Error(`--sizes ${JSON.stringify(values.sizes)}: expected numbers from 10 to 200000\n${USAGE}`);
  });
  const multiplier = raftKeys.performanceMultiplier.safeParse(Number(values["performance-multiplier"]));
  if (multiplier.success) return { sizes, config: { performanceMultiplier: multiplier.data } };
  throw new Error(
    `--performance-multiplier ${JSON.stringify(values["performance-multiplier"])}: expected 1 to 10\n${USAGE}`,
  );
}

async function bench(wanted: Wanted): Promise<void> {
  await ensureTools(log);
  await up(log);
  process.env["KUBECONFIG"] = kubeconfigPath();
  const config = loadKubeConfig();
  const kube = kubeClient(config);
  await installCrds(config);
  const controller = await startHelmController(kubeconfigPath(), { helm: toolPath("helm") });
  const rows: BenchRow[] = [];
  try {
    for (const keys of wanted.sizes) {
      rows.push(await measure(kube, keys, wanted.config));
      console.log(benchTable(rows));
    }
  } finally {
    await controller.stop();
  }
  const timing = `program with performance_multiplier ${wanted.config.performanceMultiplier}`;
  log(`${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}; ${timing}; one run a size`);
}

async function measure(kube: KubeClient, keys: number, more: Wanted["config"]): Promise<BenchRow> {
  const runDir = cacheDir("runs", `bench-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  await removeSource({ kube });
  await installSource({ keys, log, kube });
  const hand = await byHand(kube, runDir);
  log(`${keys} keys by hand: outage ${(hand.outageMs / 1000).toFixed(1)} s, copy ${hand.copySeconds} s`);
  const program = await byProgram(kube, runDir, more);
  log(
    `${keys} keys by program: outage ${(program.outageMs / 1000).toFixed(1)} s, copy ${program.copySeconds} s`,
  );
  const row = { keys, entries: program.entries, hand, program };
  writeFileSync(join(runDir, "bench.json"), JSON.stringify(row), { mode: 0o600 });
  return row;
}

async function byHand(kube: KubeClient, runDir: string): Promise<Measured> {
  const load = await startLoad(runDir, { kube });
  let seen: LoadLog | undefined;
  // The load ends while the server is on Raft: the way back is no part of the measurement.
  const { copySeconds } = await moveByHand(kube, async () => {
    const from = Date.now();
    await until("a write on Raft to be acknowledged", WRITE_SECONDS, () => {
      const { attempts } = readLoadLog(load.file);
      const written = attempts.some(({ op, ok, startMs }) => op === "write" && ok && startMs > from);
      return Promise.resolve(written ? { value: true } : { seen: "none yet" });
    });
    seen = await load.stop();
  });
  return { outageMs: longestOutage(seen!).lengthMs, copySeconds };
}

async function byProgram(
  kube: KubeClient,
  runDir: string,
  more: Wanted["config"],
): Promise<Measured & { readonly entries: number }> {
  const config = { ...more, inventory: { volatile: ["secret/load/"] } };
  const stack = new PulumiStack({ runDir, kubeconfig: kubeconfigPath(), config, log });
  const load = await startLoad(runDir, { kube });
  let seen: LoadLog;
  try {
    await moveThroughStages(stack, kube, { kill: false, carry: "migrate", until: "cutover" }, log);
  } finally {
    seen = await load.stop();
  }
  const journal = await readJournal(kube, SOURCE_NAMESPACE);
  const carried = journal.find(({ step, beat }) => step === "carry" && beat === "done")?.observed ?? {};
  return {
    outageMs: longestOutage(seen).lengthMs,
    copySeconds: Number(carried["copySeconds"]),
    entries: Number(carried["copied"]),
  };
}

void (async () => {
  try {
    const wanted = wantedOf(process.argv.slice(2));
    endThrowAwayOnSignal(log);
    await bench(wanted);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
})();
