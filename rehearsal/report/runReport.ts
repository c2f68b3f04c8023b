/** Everything that a report shows, as plain data. Numbers that were not measured are NaN (null once in JSON). */
export interface RunReport {
  readonly title: string;
  /** RFC 3339, as every time here. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly keys: number;
  readonly seed: string;
  /** The verdict is "passed" when each of them holds. */
  readonly claims: readonly ReportClaim[];
  /** Numbers beside their aims; the verdict does not hang on them. */
  readonly measures?: readonly { readonly what: string; readonly aim: string; readonly seen: string }[];
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  readonly stages: readonly ReportStage[];
  /** Lines of the gate, in order. */
  readonly gate: readonly string[];
  readonly peers: readonly ReportPeer[];
  readonly clusterId: { readonly before: string; readonly after: string };
  /** Counts and digests of the inventory comparison. */
  readonly inventory: Readonly<Record<string, number | boolean | string>>;
  readonly manifest: {
    readonly entries: number;
    readonly digest: string;
    readonly seconds: number;
    readonly keysPerSecond: number;
  };
  readonly outage: ReportOutage;
  /** Writes by the time of their answer, in buckets of one length. */
  readonly availability: readonly AvailabilityBucket[];
  readonly failoverSeconds: number;
  readonly standIns: readonly string[];
  readonly journal: readonly ReportEvent[];
}

export interface ReportClaim {
  readonly claim: string;
  readonly holds: boolean;
  /** What was seen, in words. */
  readonly seen: string;
}

export interface ReportPeer {
  readonly nodeId: string;
  readonly address: string;
  readonly leader: boolean;
  readonly voter: boolean;
}

export interface ReportStage {
  readonly name: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly previewSeconds: number;
  readonly upSeconds: number;
  /** What `pulumi up` says that it changed. */
  readonly summary: string;
}

export interface ReportOutage {
  /** Longest time between two acknowledged writes. */
  readonly longestMs: number;
  readonly from: string;
  readonly to: string;
  readonly acknowledged: number;
  readonly failedWrites: number;
  readonly lost: number;
  readonly wrong: number;
}

export interface AvailabilityBucket {
  /** Start of the bucket, milliseconds since 1970. */
  readonly atMs: number;
  readonly ok: number;
  readonly failed: number;
}

export interface ReportEvent {
  readonly time: string;
  readonly step: string;
  readonly beat: string;
}

/**
 * "passed" only when there are claims, all of them hold, and no acknowledged write is lost or wrong; where no client
 * wrote, there is none to lose.
 */
export function verdict(report: RunReport): "passed" | "failed" {
  const { acknowledged, lost, wrong } = report.outage;
  const held = report.claims.length > 0 && report.claims.every((claim) => claim.holds);
  const kept =
    (lost === 0 && wrong === 0) || (acknowledged === 0 && Number.isNaN(lost) && Number.isNaN(wrong));
  return held && kept ? "passed" : "failed";
}
