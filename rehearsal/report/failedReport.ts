import { cpus, totalmem } from "node:os";
import { availability, longestOutage, summarise, type LoadLog } from "../load/loadLog";
import type { StageFailed, StageRun } from "../move";
import type { RehearsalOptions } from "../options";
import { measuresOf } from "../outcome";
import { commandPlugin } from "../tools/tools";
import { standInsOf } from "./standIns";
import type { ReportClaim, RunReport } from "./runReport";

const SOURCES: Readonly<Record<RehearsalOptions["carry"], string>> = {
  migrate: "file storage",
  restore: "one Raft node",
  none: "one Raft node",
  reseed: "a store that is given up",
};

/** What is known of a run at its beginning. */
export type RunFacts = Pick<RunReport, "title" | "startedAt" | "keys" | "seed" | "machine" | "standIns">;

/** The first claim of every report: without it, a run that broke off would have none that fails. */
export function stagesClaim(passed: readonly { readonly name: string }[], failed?: StageFailed): ReportClaim {
  const names = passed.map((stage) => stage.name).join(", ") || "none";
  return {
    claim: "every stage passed",
    holds: failed === undefined,
    seen:
      failed === undefined
        ? names
        : `stage ${failed.stage} failed: ${failed.message.split("\n")[0]}; passed before it: ${names}`,
  };
}

/** The report of a run whose stage failed: what was seen until then, and nothing that nobody looked at. */
export function failedReport(run: {
  readonly facts: RunFacts;
  readonly failed: StageFailed;
  readonly load: LoadLog;
  readonly journal: RunReport["journal"];
}): RunReport {
  const { failed, ...seen } = run;
  return bareReport({ ...seen, passed: failed.before, claims: [stagesClaim(failed.before, failed)] });
}

/** The report of a run of which only stages, claims, journal and client load are known. */
export function bareReport(run: {
  readonly facts: RunFacts;
  readonly passed: readonly StageRun[];
  readonly claims: readonly ReportClaim[];
  /** Absent where no client wrote. */
  readonly load?: LoadLog;
  readonly journal: RunReport["journal"];
}): RunReport {
  const { facts, passed, claims, load = { prefix: "", attempts: [] }, journal } = run;
  const outage = longestOutage(load);
  const summary = summarise(load);
  // Of a load that wrote nothing there is no time to tell.
  const measured = outage.lengthMs > 0;
  return {
    ...facts,
    endedAt: new Date().toISOString(),
    claims,
    versions: { node: process.version },
    measures: measuresOf(passed),
    stages: passed.map(({ gate: _gate, lookSeconds: _look, ...stage }) => stage),
    gate: passed.flatMap((stage) => [`stage ${stage.name}`, ...stage.gate]),
    peers: [],
    clusterId: { before: "not looked at", after: "not looked at" },
    inventory: {},
    manifest: { entries: NaN, digest: "not looked at", seconds: NaN, keysPerSecond: NaN },
    outage: {
      longestMs: measured ? outage.lengthMs : NaN,
      from: measured ? new Date(outage.startMs).toISOString() : "not measured",
      to: measured ? new Date(outage.endMs).toISOString() : "not measured",
      acknowledged: summary.acknowledged,
      failedWrites: summary.failedWrites,
      lost: NaN,
      wrong: NaN,
    },
    availability: availability(load),
    failoverSeconds: NaN,
    journal,
  };
}

/** @param helmController whether the stand-in for Flux's helm-controller runs */
export function factsOf(options: RehearsalOptions, startedAt: string, helmController: boolean): RunFacts {
  return {
    title: `OpenBao: ${SOURCES[options.carry]} to three Raft nodes, rehearsal`,
    startedAt,
    keys: options.keys,
    seed: options.seed,
    machine: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    standIns: standInsOf({ options, commandPlugin: commandPlugin(), helmController }),
  };
}

export function eventsOf(journal: RunReport["journal"]): RunReport["journal"] {
  return journal.map(({ time, step, beat }) => ({ time, step, beat }));
}
