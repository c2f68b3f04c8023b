import type { StepRecord } from "./plan";

/** The step of stage cleanup: it comes after `land`, and only when the config names the volume. */
export function cleanupSteps(release: string, replicas: number): StepRecord[] {
  return [
    {
      id: "cleanup-file-data",
      stage: "cleanup",
      after: [],
      script: "cleanupFileData",
      targets: podsOf(release, replicas),
      hazards: ["F38", "F43"],
      touchesKey: true,
    },
  ];
}

/**
 * The way back, in its order: the server is down between rollback-stop and rollback-unseal. The end of rollback-resume
 * ends the rollback in the journal; the followers' volumes are made ready for a later try after that.
 */
export function rollbackSteps(release: string, replicas: number): StepRecord[] {
  const pods = podsOf(release, replicas);
  const pod0 = [`${release}-0`];
  const steps: StepRecord[] = [];
  const add = (
    id: string,
    script: string,
    targets: readonly string[],
    hazards: readonly string[],
    touchesKey = false,
  ): void => {
    const after = steps.slice(-1).map((step) => step.id);
    steps.push({ id, stage: "rollback", after, script, targets, hazards, touchesKey });
  };
  add("rollback-begin", "rollbackBegin", [], ["F67", "I1", "F53"]);
  add("rollback-inventory", "rollbackInventory", pods, ["F67"], true);
  add("rollback-stop", "rollbackStop", pods, ["I1", "F22"]);
  add("rollback-swap", "rollbackSwap", pod0, ["F17", "F22", "F68", "I18"]);
  add("rollback-values", "rollbackValues", pod0, ["I1", "I35", "F40", "F54"]);
  add("rollback-unseal", "rollbackUnseal", pod0, ["I2", "F24", "I28"], true);
  add("rollback-compare", "rollbackCompare", pod0, ["F23", "F67"], true);
  add("rollback-resume", "rollbackResume", pod0, ["I1", "F53", "F69"]);
  for (let n = 1; n < replicas; n++)
    add(`rollback-set-aside-${n}`, "rollbackSetAside", [], ["I32", "I33", "F68"]);
  return steps;
}

function podsOf(release: string, replicas: number): string[] {
  return Array.from({ length: replicas }, (_, ordinal) => `${release}-${ordinal}`);
}
