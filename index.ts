import * as pulumi from "@pulumi/pulumi";
import { reaches, readConfig, type Stage } from "./config";
import { clusterProvider } from "./components/clusterProvider";
import { passGate } from "./components/gate/gate";
import { valueOr } from "./components/gate/observed";
import { planPartsOf } from "./components/gate/planParts";
import { hasMoved } from "./components/gate/progress";
import { readEvidence } from "./components/readEvidence";
import { keySecretVersion } from "./components/keySecretVersion";
import { readLiveConfig } from "./components/liveConfig";
import { restrictedDirections } from "./components/restrictedDirections";
import { BackupStage } from "./components/stages/backupStage";
import { CleanupStage } from "./components/stages/cleanupStage";
import { CutoverStage } from "./components/stages/cutoverStage";
import { LandStage } from "./components/stages/landStage";
import { NetworkStage } from "./components/stages/networkStage";
import { ReplicasStage } from "./components/stages/replicasStage";
import { RollbackStage } from "./components/stages/rollbackStage";
import { StagePassed } from "./components/stages/stagePassed";
import { VerifyStage } from "./components/stages/verifyStage";

/** The plan: config, gate, then the stages up to `stage`, each after the one before. */
async function plan() {
  // One read-only look at the cluster; every finding at once, before the first resource.
  const { config, snapshot, kube, journal } = await passGate(readConfig());
  if (config.rollback) {
    // In place of all else. The stages' resources leave Pulumi's state; nothing in the cluster goes with them.
    new RollbackStage("rollback", { config });
    return { stage: "rollback" };
  }
  const live = await readLiveConfig(kube, config, journal);

  const provider = clusterProvider(config);
  const rehearsed = planPartsOf(snapshot, config);
  let previous: StagePassed[] = [];
  const stage = <T extends pulumi.Resource>(
    name: Stage,
    make: (opts: pulumi.ComponentResourceOptions) => T,
  ): void => {
    if (!reaches(config.stage, name)) return;
    const made = make({ dependsOn: previous, providers: { kubernetes: provider } });
    const args = { stage: name, config, plan: rehearsed };
    previous = [new StagePassed(`${name}-passed`, args, { dependsOn: [made] })];
  };

  stage(
    "network",
    (o) => new NetworkStage("network", { config, restricted: restrictedDirections(snapshot) }, o),
  );
  stage("backup", (o) => new BackupStage("backup", { config, ...keySecretVersion(snapshot) }, o));
  stage("cutover", (o) => new CutoverStage("cutover", { config, ...live, applied: hasMoved(snapshot) }, o));
  stage("replicas", (o) => new ReplicasStage("replicas", { config }, o));
  stage(
    "verify",
    (o) => new VerifyStage("verify", { config, rulesServed: valueOr(snapshot.prometheusRules, true) }, o),
  );
  stage("land", (o) => new LandStage("land", { config, chart: rehearsed.chart }, o));

  if (config.cleanup !== undefined) new CleanupStage("cleanup", { config }, { dependsOn: previous });

  // Read when the last stage has passed: another stack's gate asks for it.
  const finished = pulumi.all(previous.map((one) => one.finished));
  return { stage: config.stage, evidence: finished.apply(() => readEvidence(kube, config.namespace)) };
}

/**
 * Seen with SDK 3.259.0: an error that leaves an async program keeps it waiting for the stack's outputs for ever. It is
 * logged instead, which fails the run just the same, with nothing changed.
 */
async function main() {
  try {
    return await plan();
  } catch (error) {
    await pulumi.log.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
    return {};
  }
}

export = main;
