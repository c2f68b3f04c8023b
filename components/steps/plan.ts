import type { MigrationConfig, Stage } from "../../config";
import { carryPath, type CarryPath } from "./carryPath";
import { carrySteps } from "./carryPlan";
import { cleanupSteps, rollbackSteps } from "./latePlan";

/** A stage that `stage` names, or one that a key of its own asks for. */
export type PlanStage = Stage | "cleanup" | "rollback";

/** One one-time step, as data. The order is `after`; nothing else sets it. */
export interface StepRecord {
  /** kebab-case, never used again for another step. */
  readonly id: string;
  readonly stage: PlanStage;
  /** Ids of steps and of the stage's own resources that come before. */
  readonly after: readonly string[];
  /** File in steps/scripts, without its ending. */
  readonly script: string;
  /** Pods that the step talks to. */
  readonly targets: readonly string[];
  /** Hazards of ../shared/hazards.md that its refusals and proofs guard against. */
  readonly hazards: readonly string[];
  /** True when the step reads the unseal key or the root token: its output is then kept out of every log. */
  readonly touchesKey: boolean;
  /** Part of the config without which the step is left out; absent: it always runs. */
  readonly needs?: "talos.nodes" | "externalSecrets" | "git.keySecret";
}

/** Ids of the resources that stand between steps. */
export const RESOURCES = {
  networkPolicy: "raft-network-policy",
  ciliumPolicy: "raft-cilium-policy",
  release: "open-bao-release",
  replicas: "replica-change",
} as const;

/**
 * All steps in their order, for a cluster of `replicas` nodes; those of cleanup and of a rollback come last.
 * @param path the data path; default migrate. What a config asks for of them is `stepsOf`.
 */
export function planSteps(release: string, replicas: number, path: CarryPath = "migrate"): StepRecord[] {
  const steps = migrateSteps(release, replicas);
  if (path === "migrate") return steps;
  const own: readonly PlanStage[] = ["backup", "cutover"];
  const from = steps.findIndex((record) => record.stage === "backup");
  const others = steps.filter((record) => !own.includes(record.stage));
  return [...others.slice(0, from), ...carrySteps(path, `${release}-0`), ...others.slice(from)];
}

function migrateSteps(release: string, replicas: number): StepRecord[] {
  const pod0 = `${release}-0`;
  const followers = Array.from({ length: replicas - 1 }, (_, i) => i + 1);
  const pods = [pod0, ...followers.map((n) => `${release}-${n}`)];
  const step = (
    stage: PlanStage,
    id: string,
    script: string,
    after: readonly string[],
    targets: readonly string[],
    hazards: readonly string[],
    touchesKey = false,
  ): StepRecord => ({ id, stage, after, script, targets, hazards, touchesKey });

  return [
    { ...step("network", "talos-firewall", "talosFirewall", [], [], ["H4", "F44"]), needs: "talos.nodes" },
    step(
      "network",
      "network-probe",
      "networkProbe",
      [RESOURCES.networkPolicy, RESOURCES.ciliumPolicy, "talos-firewall"],
      [pod0],
      ["H4", "F44", "F45", "F46", "F49", "I10", "I42"],
    ),

    step("backup", "inventory-backup", "backupInventory", [], [pod0], ["H2", "I48"], true),
    step("backup", "file-copy", "fileCopy", ["inventory-backup"], [pod0], ["I17", "I18", "F20", "F33"]),
    step("backup", "key-proof", "keyProof", ["file-copy"], [pod0], ["F24", "F26", "I18"], true),

    step("cutover", "pause", "pause", [], [], ["I1", "I8", "I38", "F53", "F54"]),
    step("cutover", "inventory-cutover", "cutoverInventory", ["pause"], [pod0], ["F23"], true),
    // Once more, since a rekey may lie between the two stages.
    step("cutover", "key-proof-cutover", "keyProof", ["inventory-cutover"], [pod0], ["F24", "F26"], true),
    step("cutover", "stop", "stop", ["key-proof-cutover"], [pod0], ["F22", "F23", "F24"], true),
    step("cutover", "carry", "carry", ["stop"], [pod0], ["I14", "I15", "F16", "F17", "F19", "F20"]),
    step("cutover", "flip", "flip", [RESOURCES.release], [pod0], ["I4", "I35", "I40", "F40"]),
    step("cutover", "roll", "roll", ["flip"], [pod0], ["I2", "I4", "F56"]),
    step("cutover", "unseal-0", "unseal", ["roll"], [pod0], ["I2", "I3", "I15", "F24"], true),
    step("cutover", "compare-cutover", "compareCutover", ["unseal-0"], [pod0], ["F23", "F68"], true),

    ...followers.map((n) =>
      step(
        "replicas",
        `follower-${n}`,
        "follower",
        n === 1 ? [] : [`follower-${n - 1}`],
        [`${release}-${n}`],
        ["I5", "I27", "I28", "I31", "I33", "F42", "F51", "F52"],
        true,
      ),
    ),
    step(
      "replicas",
      "apply-replicas",
      "applyReplicas",
      [RESOURCES.replicas],
      pods,
      ["I35", "I36", "I37"],
      true,
    ),

    step("verify", "compare-verify", "compareVerify", [], pods, ["F23"], true),
    step("verify", "failover-drill", "failoverDrill", ["compare-verify"], pods, ["I28", "F70"], true),
    {
      ...step("verify", "external-secrets", "externalSecrets", ["failover-drill"], [], ["I7", "I9"]),
      needs: "externalSecrets",
    },
    step(
      "verify",
      "services",
      "services",
      ["failover-drill", "external-secrets"],
      pods,
      ["I9", "I34", "F35"],
      true,
    ),

    {
      ...step("land", "git-keys-land", "gitKeys", [], [], ["H6", "I49", "F69"], true),
      needs: "git.keySecret",
    },
    step("land", "land-git", "landGit", ["git-keys-land"], [], ["F69"]),
    step("land", "resume", "resume", ["land-git"], pods, ["I39", "F53", "F69"]),
    step("land", "zero-drift", "zeroDrift", ["resume"], [], ["I39", "I1", "F53", "F69"]),

    ...cleanupSteps(release, replicas),
    ...rollbackSteps(release, replicas),
  ];
}

/** The steps that this config asks for; an `after` that names a step left out counts for nothing. */
export function stepsOf(config: MigrationConfig): StepRecord[] {
  const wanted = {
    "talos.nodes": (config.talos?.nodes.length ?? 0) > 0,
    externalSecrets: config.externalSecrets.length > 0,
    "git.keySecret": config.git?.keySecret !== undefined,
  };
  const all = planSteps(config.release, config.replicas, carryPath(config));
  const out = new Set(all.filter(({ needs }) => needs !== undefined && !wanted[needs]).map(({ id }) => id));
  // What waited for a step that is left out waits for what that one waited for.
  const inPlace = (id: string): readonly string[] =>
    out.has(id) ? stepRecord(all, id).after.flatMap(inPlace) : [id];
  return all
    .filter(({ id }) => !out.has(id))
    .map((record) => ({ ...record, after: [...new Set(record.after.flatMap(inPlace))] }));
}

/** The step after a stage's last: it writes into the journal that the stage was passed. It is in no plan of a stage. */
export function passedStep(stage: Stage): StepRecord {
  const hazards = ["F64"];
  return {
    id: `passed-${stage}`,
    stage,
    after: [],
    script: "passed",
    targets: [],
    hazards,
    touchesKey: false,
  };
}

/** The record of one step. @throws Error for an id that is not in the plan: this is a bug. */
export function stepRecord(plan: readonly StepRecord[], id: string): StepRecord {
  const found = plan.find((record) => record.id === id);
  if (found === undefined) throw new Error(`step "${id}" is not in the plan; this is a bug`);
  return found;
}
