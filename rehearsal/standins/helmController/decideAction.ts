import {
  activeRemediation,
  remediationFor,
  type HelmReleaseSpec,
  type HelmReleaseStatus,
  type Snapshot,
} from "./helmRelease";

/** What storage says of the release, compared with what the HelmRelease wants. */
export type ReleaseState = "absent" | "locked" | "unmanaged" | "failed" | "outOfSync" | "drifted" | "inSync";

export interface Desired {
  chartName: string;
  chartVersion: string;
  configDigest: string;
}

/** Judges the newest stored revision against the newest one that this controller recorded. */
export function releaseState(
  stored: Snapshot | undefined,
  recorded: Snapshot | undefined,
  desired: Desired,
): ReleaseState {
  if (!stored || stored.status === "uninstalled") return "absent";
  if (stored.status.startsWith("pending-")) return "locked";
  if (!recorded || recorded.version !== stored.version || recorded.digest !== stored.digest)
    return "unmanaged";
  if (stored.status === "failed") return "failed";
  const same =
    stored.chartName === desired.chartName &&
    stored.chartVersion === desired.chartVersion &&
    // The recorded digest is of the values as composed; Helm may store them without their nulls.
    recorded.configDigest === desired.configDigest;
  return same ? "inSync" : "outOfSync";
}

export type Action = "install" | "upgrade" | "rollback" | "uninstall" | "unlock" | "correctDrift";

/** The kind of an action: one pass runs each kind at most once and ends after a remediation. */
export const kindOf: Record<Action, "release" | "remediate" | "unlock" | "correct"> = {
  install: "release",
  upgrade: "release",
  rollback: "remediate",
  uninstall: "remediate",
  unlock: "unlock",
  correctDrift: "correct",
};

export type Decision =
  | { kind: "act"; action: Action }
  | { kind: "done" }
  | { kind: "stalled"; reason: "RetriesExceeded" | "MissingRollbackTarget"; message: string };

/** The next thing to do, as Flux's helm-controller decides it without tests and without the RetryOnFailure strategy. */
export function decideAction(
  state: ReleaseState,
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
  forced: boolean,
  rollbackTarget: Snapshot | undefined,
): Decision {
  const act = (action: Action): Decision => ({ kind: "act", action });
  switch (state) {
    case "locked":
      return act("unlock");
    case "absent":
      return forced || !remediationFor("install", spec, status).exhausted
        ? act("install")
        : outOfRetries(spec, status);
    case "unmanaged":
      return act("upgrade");
    case "outOfSync":
      return forced || !remediationFor("upgrade", spec, status).exhausted
        ? act("upgrade")
        : outOfRetries(spec, status);
    case "drifted":
      return spec.driftDetection?.mode === "enabled" ? act("correctDrift") : { kind: "done" };
    case "inSync":
      return forced ? act("upgrade") : { kind: "done" };
    case "failed":
      return afterFailure(spec, status, forced, rollbackTarget);
  }
}

function afterFailure(
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
  forced: boolean,
  rollbackTarget: Snapshot | undefined,
): Decision {
  const remediation = activeRemediation(spec, status);
  // No counted failure means that values or chart changed since: the new ones deserve an attempt.
  if (!remediation || remediation.failures <= 0 || forced) return { kind: "act", action: "upgrade" };
  if (remediation.exhausted && !remediation.remediateLastFailure) return outOfRetries(spec, status);
  if (remediation.strategy === "uninstall") return { kind: "act", action: "uninstall" };
  if (rollbackTarget) return { kind: "act", action: "rollback" };
  return {
    kind: "stalled",
    reason: "MissingRollbackTarget",
    message:
      "Failed to perform remediation: missing target release for rollback: cannot remediate failed release",
  };
}

function outOfRetries(spec: HelmReleaseSpec, status: HelmReleaseStatus): Decision {
  return { kind: "stalled", reason: "RetriesExceeded", message: retriesExceeded(spec, status) };
}

/** The message of Stalled once no retry is left. */
export function retriesExceeded(spec: HelmReleaseSpec, status: HelmReleaseStatus): string {
  const failures = activeRemediation(spec, status)?.failures ?? 0;
  return `Failed to ${status.lastAttemptedReleaseAction ?? "act"} after ${failures} attempt(s)`;
}

/** The newest recorded revision before the latest that ran well: the one to roll back to. */
export function rollbackTargetOf(history: Snapshot[]): Snapshot | undefined {
  return history.slice(1).find(({ status }) => status === "deployed" || status === "superseded");
}

const keptFailures = 5;

/** History down to the last good revision before the latest; with none, the newest five. */
export function truncateHistory(history: Snapshot[]): Snapshot[] {
  const target = rollbackTargetOf(history);
  return target ? history.slice(0, history.indexOf(target) + 1) : history.slice(0, keptFailures);
}
