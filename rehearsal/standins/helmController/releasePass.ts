import type { Chart } from "./chartFolder";
import { valuesDigest, type Values } from "./composeValues";
import { findCondition, removeCondition, setCondition, summarize, type Condition } from "./conditions";
import {
  decideAction,
  kindOf,
  releaseState,
  retriesExceeded,
  rollbackTargetOf,
  truncateHistory,
  type Action,
  type ReleaseState,
} from "./decideAction";
import { detectDrift } from "./detectDrift";
import { takeRequest } from "./handleRequest";
import {
  actionTimeoutMs,
  activeRemediation,
  releaseName,
  releaseNamespace,
  type HelmRelease,
  type HelmReleaseStatus,
  type Snapshot,
} from "./helmRelease";
import type { Tools } from "./reconcileRelease";
import { ReleaseStorage, snapshotOf, type StoredRelease } from "./releaseStorage";
import { helmArguments } from "./runHelm";

/** How a pass ended: nothing left to do, to be retried, waiting for another object, or given up until a change. */
export type Outcome = "settled" | "retry" | "waiting" | "stalled";

/** One pass over a release: state, next action, action, until nothing is left to do or a remediation was made. */
export class Pass {
  private readonly storage: ReleaseStorage;
  private written: HelmReleaseStatus;

  constructor(
    private readonly tools: Tools,
    private readonly release: HelmRelease,
    private readonly status: HelmReleaseStatus,
    private readonly chart: Chart,
    private readonly values: Values,
  ) {
    this.storage = new ReleaseStorage(tools.cluster.core, releaseNamespace(release), releaseName(release));
    this.written = release.status ?? {};
  }

  async run(): Promise<Outcome> {
    const { status } = this;
    const { spec } = this.release;
    const done = new Set<string>();
    for (;;) {
      const revisions = await this.storage.revisions();
      const state = await this.judge(revisions);
      const forced = takeRequest(this.release, status, "force");
      if (state === "failed") status.history = truncateHistory(status.history ?? []);
      const target = rollbackTargetOf(status.history ?? []);
      const stored =
        target && revisions.some(({ version }) => version === target.version) ? target : undefined;
      const decision = decideAction(state, spec, status, forced, stored);
      if (decision.kind === "stalled") return this.stall(decision.reason, decision.message);
      if (decision.kind === "done") {
        if (state === "inSync") this.restoreAfterSync();
        removeCondition(status, "Reconciling");
        summarize(status, this.generation);
        return "settled";
      }
      const kind = kindOf[decision.action];
      if (done.has(kind)) return this.retryLater();
      if (state === "unmanaged") status.history = [];
      await this.announce(decision.action);
      if (!(await this.act(decision.action, revisions, stored))) return this.retryLater();
      if (kind === "remediate") {
        const remediation = activeRemediation(spec, status);
        if (!remediation?.exhausted || remediation.strategy === "uninstall") return this.retryLater();
        return this.stall("RetriesExceeded", retriesExceeded(spec, status));
      }
      done.add(kind);
      await this.write();
    }
  }

  /** Uninstalls for a deleted HelmRelease; false when Helm failed, with the reason in the status. */
  async uninstallForDeletion(): Promise<boolean> {
    const result = await this.helm("uninstall");
    if (result.ok) return true;
    const message = `Helm uninstall failed for release ${this.label(this.latest)}: ${result.error}`;
    this.set("Released", "False", "UninstallFailed", message);
    this.set("Ready", "False", "UninstallFailed", message);
    return false;
  }

  private get generation(): number {
    return this.release.metadata.generation;
  }

  private get latest(): Snapshot | undefined {
    return this.status.history?.[0];
  }

  private async judge(revisions: StoredRelease[]): Promise<ReleaseState> {
    const [stored] = revisions;
    const desired = {
      chartName: this.chart.name,
      chartVersion: this.chart.version,
      configDigest: valuesDigest(this.values),
    };
    const state = releaseState(stored && snapshotOf(stored), this.latest, desired);
    const { mode = "disabled" } = this.release.spec.driftDetection ?? {};
    if (state !== "inSync" || mode === "disabled" || !stored) return state;
    const drifted = await this.drift(stored, false);
    const message = `Cluster state of release ${this.label(this.latest)} has drifted:\n${drifted.join("\n")}`;
    if (drifted.length > 0) this.set("Drifted", "True", "DriftDetected", message);
    else this.set("Drifted", "False", "NoDriftDetected", "No drift detected against the cluster state");
    return drifted.length > 0 ? "drifted" : "inSync";
  }

  private drift(stored: StoredRelease, correct: boolean): Promise<string[]> {
    const ignore = this.release.spec.driftDetection?.ignore ?? [];
    return detectDrift(
      this.tools.cluster.objects,
      stored.manifest,
      releaseNamespace(this.release),
      ignore,
      correct,
    );
  }

  /** Carries out one action; false when it failed without leaving a trace in storage that the next state could show. */
  private async act(
    action: Action,
    revisions: StoredRelease[],
    target: Snapshot | undefined,
  ): Promise<boolean> {
    const [stored] = revisions;
    switch (action) {
      case "install":
      case "upgrade":
        return this.makeRelease(action, stored?.version ?? 0);
      case "rollback":
      case "uninstall":
        return this.remediate(action, stored?.version ?? 0, target);
      case "unlock": {
        const was = stored?.info.status;
        if (stored) await this.storage.unlock(stored.version);
        const name = stored && this.label(snapshotOf(stored));
        this.set("Released", "False", "PendingRelease", `Unlocked Helm release ${name} in ${was} state`);
        summarize(this.status, this.generation);
        return true;
      }
      case "correctDrift":
        if (stored) await this.drift(stored, true);
        return true;
    }
  }

  private async makeRelease(action: "install" | "upgrade", before: number): Promise<boolean> {
    const { status, chart } = this;
    status.lastAttemptedReleaseAction = action;
    if (action === "install") status.history = [];
    removeCondition(status, "Remediated");
    const started = Date.now();
    const result = await this.helm(action);
    status.lastAttemptedReleaseActionDuration = `${Date.now() - started}ms`;
    const made = await this.record(action, before);
    const reason = action === "install" ? "Install" : "Upgrade";
    if (result.ok) {
      const message = `Helm ${action} succeeded for release ${this.label(this.latest)}`;
      this.set("Released", "True", `${reason}Succeeded`, message);
    } else {
      const where = `${releaseNamespace(this.release)}/${releaseName(this.release)} with chart ${chart.name}@${chart.version}`;
      this.set(
        "Released",
        "False",
        `${reason}Failed`,
        `Helm ${action} failed for release ${where}: ${result.error}`,
      );
      status.failures = (status.failures ?? 0) + 1;
      // Only a failure that Helm stored needs a remediation, so only such a one counts.
      const counter = action === "install" ? "installFailures" : "upgradeFailures";
      if (made) status[counter] = (status[counter] ?? 0) + 1;
    }
    summarize(status, this.generation);
    return result.ok || made;
  }

  private async remediate(
    action: "rollback" | "uninstall",
    before: number,
    target: Snapshot | undefined,
  ): Promise<boolean> {
    const latest = this.latest;
    const result = await this.helm(action, target?.version);
    const made = await this.record(action, before, target?.configDigest);
    const done = action === "rollback" ? "RollbackSucceeded" : "UninstallSucceeded";
    const failed = action === "rollback" ? "RollbackFailed" : "UninstallFailed";
    const what =
      action === "rollback"
        ? `Helm rollback to previous release ${this.label(target)}`
        : `Helm uninstall remediation for release ${this.label(latest)}`;
    if (result.ok) this.set("Remediated", "True", done, `${what} succeeded`);
    else this.set("Remediated", "False", failed, `${what} failed: ${result.error}`);
    if (!result.ok) this.status.failures = (this.status.failures ?? 0) + 1;
    summarize(this.status, this.generation);
    return result.ok || made;
  }

  private helm(action: "install" | "upgrade" | "rollback" | "uninstall", rollbackTo?: number) {
    const { spec } = this.release;
    const argv = helmArguments(action, this.release, this.chart.dir, rollbackTo);
    const stdin = action === "install" || action === "upgrade" ? JSON.stringify(this.values) : "";
    return this.tools.helm.run(argv, stdin, actionTimeoutMs(spec, spec[action]));
  }

  /** Takes what Helm stored into the history; true when there is a revision that was not there before. */
  private async record(action: string, before: number, digest = valuesDigest(this.values)): Promise<boolean> {
    const known = new Map((this.status.history ?? []).map((snapshot) => [snapshot.version, snapshot]));
    const revisions = await this.storage.revisions();
    this.status.history = revisions.flatMap((stored) => {
      if (stored.version > before) return [snapshotOf(stored, action, digest)];
      const old = known.get(stored.version);
      return old ? [snapshotOf(stored, old.action, old.configDigest)] : [];
    });
    return revisions.some(({ version }) => version > before);
  }

  /** A rolled back release that is wanted again, or one that became well by itself, is a success. */
  private restoreAfterSync(): void {
    const { status } = this;
    status.history = truncateHistory(status.history ?? []);
    const remediated = findCondition(status, "Remediated")?.status === "True";
    removeCondition(status, "Stalled");
    const released = findCondition(status, "Released");
    if (!remediated && released?.status === "True") return;
    removeCondition(status, "Remediated");
    const action = status.lastAttemptedReleaseAction === "install" && !remediated ? "install" : "upgrade";
    const reason = action === "install" ? "InstallSucceeded" : "UpgradeSucceeded";
    this.set("Released", "True", reason, `Helm ${action} succeeded for release ${this.label(this.latest)}`);
  }

  private async announce(action: Action): Promise<void> {
    const { spec } = this.release;
    const own = action === "unlock" || action === "correctDrift" ? undefined : spec[action];
    const message = `Running '${action}' action with timeout of ${actionTimeoutMs(spec, own) / 1000}s`;
    removeCondition(this.status, "Stalled");
    this.set("Reconciling", "True", "Progressing", message);
    if (kindOf[action] === "release") this.set("Ready", "Unknown", "Progressing", message);
    await this.write();
    console.error(`${this.release.metadata.namespace}/${this.release.metadata.name}: ${message}`);
  }

  private retryLater(): Outcome {
    const message = findCondition(this.status, "Ready")?.message ?? "retrying";
    this.set("Reconciling", "True", "ProgressingWithRetry", message);
    return "retry";
  }

  private stall(reason: string, message: string): Outcome {
    removeCondition(this.status, "Reconciling");
    this.set("Stalled", "True", reason, message);
    return "stalled";
  }

  private async write(): Promise<void> {
    await this.tools.cluster.writeStatus(this.release, this.written, this.status);
    this.written = structuredClone(this.status);
  }

  private set(type: string, status: Condition["status"], reason: string, message: string): void {
    setCondition(this.status, this.generation, { type, status, reason, message });
  }

  private label(snapshot: Snapshot | undefined): string {
    if (!snapshot) return `${releaseNamespace(this.release)}/${releaseName(this.release)}`;
    const { namespace, name, version, chartName, chartVersion } = snapshot;
    return `${namespace}/${name}.v${version} with chart ${chartName}@${chartVersion}`;
  }
}
