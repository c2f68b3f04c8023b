import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { readJournal } from "../components/cluster/journal";
import { kubeClient, loadKubeConfig, type KubeClient } from "../components/cluster/kubeClient";
import { backendEnv } from "./backend";
import { cacheDir } from "./cache";
import { down, kubeconfigPath, up } from "./cluster/cluster";
import { loadLogs, startLoad } from "./load/clientLoad";
import { availability, longestOutage, summarise, type LoadLog } from "./load/loadLog";
import { rehearseReseed } from "./carryRun";
import { changedNothing, moveThroughStages, StageFailed, type StageRun } from "./move";
import { endOnSignal, whatIsLeft } from "./interrupt";
import { parseOptions, type RehearsalOptions } from "./options";
import { useOwnCluster } from "./oneContext";
import { claimsOf, measuresOf, observedOf, observeOutcome, type Claim, type Outcome } from "./outcome";
import { PulumiStack } from "./pulumiStack";
import { eventsOf, factsOf, failedReport, stagesClaim, type RunFacts } from "./report/failedReport";
import { finishRun } from "./report/finishRun";
import { unreviewedClaims } from "./driftClaims";
import { cleanupClaims } from "./cleanupClaims";
import { fileStorageClaim, keepsFileStorage } from "./fileStorageClaim";
import { landedClaims } from "./landedClaims";
import { leakClaim } from "./leaks/leakClaim";
import { runnerKubeconfig } from "./runner";
import { stackConfig } from "./stackConfig";
import type { RunReport } from "./report/runReport";
import { stopFluxControllers } from "./flux/controllers";
import { startFlux, type FluxWorld } from "./flux/fluxWorld";
import { FluxReview } from "./flux/review";
import { installSource, removeSource } from "./source/install";
import { makePlatformCheckout } from "./source/platformCheckout";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";
import type { SourceVariant } from "./source/platformFiles";
import { helmReleasesAreOurs, installCrds } from "./standins/crds/installCrds";
import { startExternalSecrets } from "./standins/externalSecrets/start";
import { startHelmController, stopHelmController } from "./standins/helmController/start";
import { acceptAlerts, alertClaim } from "./standins/prometheusOperator/alerts";
import { clientBinaries, ensureTools, fluxBinaries, toolPath } from "./tools/tools";

const started = Date.now();

function log(line: string): void {
  console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`);
}

/** The main job: a real OpenBao with real content moves, stage by stage, and the report says what was seen. */
async function rehearse(options: RehearsalOptions): Promise<number> {
  const startedAt = new Date().toISOString();
  const runDir = cacheDir("runs", startedAt.replace(/[:.]/g, "-"));
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  log(`run folder: ${runDir}`);

  const { backend } = options;
  backendEnv(runDir, backend); // Before the tools are built: a passphrase that is missing costs nothing.
  const own = options.context !== undefined;
  if (own) await useOwnCluster(options.context, runDir);
  await ensureTools(log, own ? clientBinaries : undefined);
  if (options.flux) await ensureTools(log, fluxBinaries);
  if (backend !== undefined)
    await new PulumiStack({ runDir, kubeconfig: "", backend, config: {}, log }).refuseExisting();
  if (!own) {
    await up(log);
    process.env["KUBECONFIG"] = kubeconfigPath();
    // Those of a killed run would put back what is removed below, under Helm as under Flux.
    await stopFluxControllers();
  }
  const config = loadKubeConfig();
  const kube = kubeClient(config);
  await installCrds(config);
  // The steps find it as a user's would: on PATH.
  if (options.delivery === "helm") {
    process.env["PATH"] = [dirname(toolPath("helm")), process.env["PATH"] ?? ""].join(delimiter);
  }
  // A cluster with Flux has its own CRDs and controller: the stand-in is for one that has not.
  const controller =
    !own || (await helmReleasesAreOurs(kube))
      ? await startHelmController(process.env["KUBECONFIG"] ?? "", { helm: toolPath("helm") })
      : undefined;
  try {
    if (options.delivery === "helm") {
      // It uninstalls what a run under Flux left, and is gone before Helm installs: nothing reconciles then.
      await removeSource({ kube });
      await controller?.stop();
    }
    return await move(options, kube, runDir, startedAt, controller !== undefined);
  } finally {
    await controller?.stop();
    if (options.down && !own) await down(log);
  }
}

async function move(
  options: RehearsalOptions,
  kube: KubeClient,
  runDir: string,
  startedAt: string,
  helmController: boolean,
): Promise<number> {
  await removeSource({ kube });
  const { hook, delivery, tls } = options;
  const variant: SourceVariant = {
    storage: options.carry === "migrate" ? "file" : "raft",
    hook,
    delivery,
    tls,
  };
  const checkout = join(runDir, "platform");
  await makePlatformCheckout(checkout, variant);
  const flux = options.flux ? await startFlux(kube, runDir, checkout, log) : undefined;
  try {
    return await moveSource({ options, kube, runDir, startedAt, helmController, checkout, variant, flux });
  } finally {
    await flux?.stop();
  }
}

interface Source {
  readonly options: RehearsalOptions;
  readonly kube: KubeClient;
  readonly runDir: string;
  readonly startedAt: string;
  /** Whether the stand-in for Flux's helm-controller runs. */
  readonly helmController: boolean;
  readonly checkout: string;
  readonly variant: SourceVariant;
  readonly flux: FluxWorld | undefined;
}

async function moveSource({
  options,
  kube,
  runDir,
  startedAt,
  helmController,
  checkout,
  variant,
  flux,
}: Source): Promise<number> {
  const { keys, seed } = options;
  const place = flux !== undefined && { place: flux.place };
  await installSource({ keys, seed, log, kube, ...variant, ...place });
  await flux?.settled();
  const review = flux === undefined ? undefined : new FluxReview(kube, flux.bare, log);
  // A cluster of the user's own may have the real operator, which the source's policies do not let in; the stand-in has no TLS.
  const sampled = options.context === undefined && !options.tls;
  const externalSecrets = sampled ? [await startExternalSecrets(kube)] : [];
  if (options.context === undefined) await acceptAlerts(kube);
  const stack = new PulumiStack({
    runDir,
    kubeconfig: await runnerKubeconfig(kube, options, externalSecrets),
    ...(options.context !== undefined && { context: options.context }),
    ...(options.backend !== undefined && { backend: options.backend }),
    config: await stackConfig(options, runDir, checkout, externalSecrets, log),
    log,
  });
  const facts = factsOf(options, startedAt, helmController);
  if (options.carry === "reseed")
    return await rehearseReseed({ options, kube, stack, checkout, facts, runDir, log });
  const load = await startLoad(runDir, { kube, tls: options.tls });
  log("client load is writing");
  let stages: StageRun[] = [];
  let seen: LoadLog;
  let noChange = false;
  let failed: StageFailed | undefined;
  try {
    stages = await moveThroughStages(
      stack,
      kube,
      options,
      log,
      review === undefined ? undefined : (held) => review.merge(held),
    );
    noChange = changedNothing(await stack.up());
    log(`second pulumi up: ${noChange ? "no change" : "CHANGES"}`);
  } catch (error) {
    if (!(error instanceof StageFailed)) throw error;
    failed = error;
    log(error.message);
  } finally {
    seen = await load.stop();
  }
  if (failed !== undefined) {
    // Without an answer of the cluster the report still says which stage it was.
    const journal = await readJournal(kube, SOURCE_NAMESPACE).catch(() => []);
    return await finishRun(
      failedReport({ facts, failed, load: seen, journal: eventsOf(journal) }),
      runDir,
      log,
    );
  }
  const outcome = await observeOutcome(kube, loadLogs(runDir), { seed, keys }, options.tls);
  const { evidence } = await stack.outputs();
  const moreClaims = [
    ...(await landedClaims(kube, checkout)),
    ...(options.cleanup ? await cleanupClaims(kube) : []),
    ...(options.context === undefined ? [await alertClaim(kube)] : []),
    ...(keepsFileStorage(options) ? [await fileStorageClaim(kube)] : []),
    ...((await review?.claims()) ?? (await unreviewedClaims(kube, checkout, options.delivery))),
    await leakClaim(kube, runDir, options.context === undefined),
  ];
  const report = reportOf({
    options,
    facts,
    stages,
    outcome,
    load: seen,
    noChange,
    evidence,
    moreClaims,
  });
  return await finishRun(report, runDir, log);
}

interface Told {
  readonly options: RehearsalOptions;
  readonly facts: RunFacts;
  readonly stages: readonly StageRun[];
  readonly outcome: Outcome;
  readonly load: LoadLog;
  readonly noChange: boolean;
  /** The stack output of that name. */
  readonly evidence: unknown;
  readonly moreClaims: readonly Claim[];
}

function reportOf({
  options,
  facts,
  stages,
  outcome,
  load,
  noChange,
  evidence,
  moreClaims,
}: Told): RunReport {
  const outage = longestOutage(load);
  const summary = summarise(load);
  const carried = observedOf(outcome, "carry");
  const seconds = Number(carried["copySeconds"]);
  return {
    ...facts,
    endedAt: new Date().toISOString(),
    claims: [
      stagesClaim(stages),
      ...claimsOf(outcome, load, noChange, evidence, options.carry),
      ...moreClaims,
    ],
    versions: {
      openbao: String(observedOf(outcome, "inventory-cutover")["version"] ?? "?"),
      node: process.version,
    },
    measures: measuresOf(stages),
    stages: stages.map(({ gate: _gate, lookSeconds: _look, ...stage }) => stage),
    gate: stages.flatMap((stage) => [`stage ${stage.name}`, ...stage.gate]),
    peers: outcome.peers.map((peer) => ({ ...peer })),
    clusterId: {
      before: String(observedOf(outcome, "inventory-cutover")["clusterId"] ?? "?"),
      after: outcome.clusterIds.join(", "),
    },
    inventory: observedOf(outcome, "compare-verify") as Record<string, number | boolean | string>,
    manifest: {
      entries: Number(carried["entries"]),
      digest: String(carried["manifest"]),
      seconds,
      keysPerSecond: Math.round(Number(carried["copied"]) / Math.max(1, seconds)),
    },
    outage: {
      longestMs: outage.lengthMs,
      from: new Date(outage.startMs).toISOString(),
      to: new Date(outage.endMs).toISOString(),
      acknowledged: summary.acknowledged,
      failedWrites: summary.failedWrites,
      lost: outcome.acknowledged.lost.length,
      wrong: outcome.acknowledged.wrong.length,
    },
    availability: availability(load),
    failoverSeconds: Number(observedOf(outcome, "failover-drill")["seconds"]),
    journal: eventsOf(outcome.journal),
  };
}

/** What runs on this machine beside the cluster. */
async function stopStandIns(options: RehearsalOptions): Promise<void> {
  await stopHelmController();
  if (options.flux) await stopFluxControllers();
}

void (async () => {
  try {
    const options = parseOptions(process.argv.slice(2));
    endOnSignal({ log, left: whatIsLeft(options.context), stopStandIns: () => stopStandIns(options) });
    process.exitCode = await rehearse(options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
})();
