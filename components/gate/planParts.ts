import { createHash } from "node:crypto";
import type { MigrationConfig } from "../../config";
import type { PlanParts } from "../evidence/planDigest";
import { programDigest } from "../evidence/programDigest";
import { carryPath } from "../steps/carryPath";
import { planSteps } from "../steps/plan";
import { clean, valueOr } from "./observed";
import { server0 } from "./progress";
import type { ReleaseView } from "./readRelease";
import type { ClusterSnapshot } from "./snapshot";
import { plainVersion, tagOf } from "./versionChecks";

/**
 * Pure: what a rehearsal must have in common with this stack. Names, sizes and addresses may differ; nothing is in it
 * that the move itself changes, so that every stage of one run shows the same.
 */
export function planPartsOf(snapshot: ClusterSnapshot, config: MigrationConfig): PlanParts {
  const release = valueOr(snapshot.release, undefined);
  const set = valueOr(snapshot.statefulSet, undefined);
  const server = valueOr(snapshot.serverConfig, undefined);
  const running = server0(snapshot)?.seal.version;
  const version = tagOf(set?.image ?? "") ?? (running === undefined ? UNKNOWN : plainVersion(running));
  const volumes = set?.claimTemplates.map((one) => one.name).sort() ?? [];
  return {
    program: programDigest(),
    steps: stepsDigest(config),
    // A rehearsal under Flux says nothing about Helm itself, nor the other way round.
    carry: config.delivery === "helm" ? `${carryPath(config)}, delivered by helm` : carryPath(config),
    replicas: String(config.replicas),
    timing: `performance_multiplier ${config.performanceMultiplier}`,
    chart: release === undefined ? UNKNOWN : clean(chartOf(release, config)),
    openbao: clean(version),
    listener: server?.tls === undefined ? UNKNOWN : `TLS ${server.tls ? "on" : "off"}`,
    audit: clean(server?.auditDevices.join(", ") || "none", 1000),
    pods:
      set === undefined
        ? UNKNOWN
        : clean(
            `${set.podManagementPolicy}, ${set.updateStrategy}, readiness ${set.readiness}, volumes ${volumes.join(" ")}`,
            1000,
          ),
  };
}

const UNKNOWN = "not known";

/** Ends the part of a chart whose range may mean another version elsewhere: it is like no other, not even itself. */
const UNRESOLVED = "which version runs is not known";

/** The version that runs stands beside the one that is asked for, unless that is the very same: a range resolves anew. */
function chartOf({ chart, chartVersion, runningChart }: ReleaseView, { delivery }: MigrationConfig): string {
  const asked = `${chart} ${chartVersion.replace(/^v(?=\d)/, "")}`.trim();
  const exact = /^v?\d+\.\d+\.\d+(?:[-+]\S*)?$/.test(chartVersion);
  // Helm records the chart that it installed, and no range.
  if (delivery === "helm" || (exact && runningChart === undefined)) return asked;
  if (runningChart === undefined) return `${asked}, ${UNRESOLVED}`;
  return exact && bare(chartVersion) === bare(runningChart) ? asked : `${asked}, running ${runningChart}`;
}

/** Without a leading v, and without the build that Flux adds to a chart of an OCI registry. */
function bare(version: string): string {
  return version.replace(/^v/, "").replace(/\+.*$/, "");
}

/** What of a plan cannot be compared with another one. */
export function unresolved({ chart }: PlanParts): string[] {
  return chart.endsWith(UNRESOLVED) ? [`chart: ${chart}`] : [];
}

/** The names of this release are left out; what only some clusters need, such as Talos' step, makes no other plan. */
function stepsDigest(config: MigrationConfig): string {
  const steps = planSteps("release", config.replicas, carryPath(config));
  return createHash("sha256").update(JSON.stringify(steps)).digest("hex");
}
