import { cpus, totalmem } from "node:os";
import { availability, longestOutage, summarise, type LoadLog } from "../load/loadLog";
import type { StageFailed } from "../move";
import type { RehearsalOptions } from "../options";
import { commandPlugin } from "../tools/tools";
import { standInsOf } from "./standIns";
import type { ReportClaim, RunReport } from "./runReport";

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
  const { facts, failed, load, journal } = run;
  const outage = longestOutage(load);
  const summary = summarise(load);
  return {
    ...facts,
    endedAt: new Date().toISOString(),
    claims: [stagesClaim(failed.before, failed)],
    versions: { node: process.version },
    stages: failed.before.map(({ gate: _gate, ...stage }) => stage),
    gate: failed.before.flatMap((stage) => [`stage ${stage.name}`, ...stage.gate]),
    peers: [],
    clusterId: { before: "not looked at", after: "not looked at" },
    inventory: {},
    manifest: { entries: NaN, digest: "not looked at", seconds: NaN, keysPerSecond: NaN },
    outage: {
      longestMs: outage.lengthMs,
      // Of a load that wrote nothing there is no time to tell.
      from: outage.lengthMs > 0 ? new Date(outage.startMs).toISOString() : "not measured",
      to: outage.lengthMs > 0 ? new Date(outage.endMs).toISOString() : "not measured",
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
    title: `OpenBao: ${options.carry === "migrate" ? "file storage" : "one Raft node"} to three Raft nodes, rehearsal`,
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
