import type { RunReport } from "./runReport";

/** One table of the report, the same in Markdown and in HTML. */
export interface ReportTable {
  readonly title: string;
  /** One sentence on what it shows. */
  readonly about?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers, by index: aligned right. */
  readonly numbers?: readonly number[];
  /** Long, so folded away in HTML. */
  readonly long?: boolean;
}

/** The report as tables, in reading order. */
export function reportTables(report: RunReport): ReportTable[] {
  const { outage, manifest } = report;
  return [
    {
      title: "Claims",
      about: "The run has passed when every claim holds.",
      head: ["Claim", "Result", "Seen"],
      rows: report.claims.map((claim) => [claim.claim, claim.holds ? "holds" : "FAILS", claim.seen]),
    },
    {
      title: "Stages",
      head: ["Stage", "Preview", "Up", "Changes"],
      numbers: [1, 2],
      rows: report.stages.map((stage) => [
        stage.name,
        seconds(stage.previewSeconds),
        seconds(stage.upSeconds),
        stage.summary,
      ]),
    },
    {
      title: "Measured beside the claims",
      about: "The verdict does not hang on these: a busy machine misses an aim.",
      head: ["Measure", "Aim", "Seen"],
      numbers: [1, 2],
      rows: (report.measures ?? []).map(({ what, aim, seen }) => [what, aim, seen]),
    },
    {
      title: "Availability for clients",
      about: "Measured by a client that writes through the Service all the time.",
      head: ["Measure", "Value"],
      numbers: [1],
      rows: [
        ["Longest time without an acknowledged write", seconds(outage.longestMs / 1000)],
        ["from", clock(outage.from)],
        ["to", clock(outage.to)],
        ["Writes acknowledged", count(outage.acknowledged)],
        ["Writes failed", count(outage.failedWrites)],
        ["Acknowledged writes lost", count(outage.lost)],
        ["Acknowledged writes with another value", count(outage.wrong)],
        ["Failover after step-down", seconds(report.failoverSeconds)],
      ],
    },
    {
      title: "Data carried",
      about: "The manifest is over the stored ciphertext; the digest is the same for source and destination.",
      head: ["Measure", "Value"],
      numbers: [1],
      rows: [
        ["Entries in the ciphertext manifest", count(manifest.entries)],
        ["Manifest digest", manifest.digest],
        ["Copy time", seconds(manifest.seconds)],
        ["Copy rate in keys/s", count(manifest.keysPerSecond)],
      ],
    },
    {
      title: "Content inventory, before against after",
      about: "By digests under a random key; volatile paths are excused.",
      head: ["Measure", "Value"],
      numbers: [1],
      rows: Object.entries(report.inventory).map(([name, value]) => [name, text(value)]),
    },
    {
      title: "Raft peers",
      head: ["Node", "Address", "Leader", "Voter"],
      rows: report.peers.map((peer) => [peer.nodeId, peer.address, text(peer.leader), text(peer.voter)]),
    },
    {
      title: "Run",
      head: ["What", "Value"],
      rows: [
        ["Started", report.startedAt],
        ["Ended", report.endedAt],
        ["Content", `${count(report.keys)} keys, seed ${report.seed}`],
        ["Machine", report.machine],
        ...Object.entries(report.versions).map(([name, version]) => [`Version of ${name}`, version]),
        ["Cluster id before", report.clusterId.before],
        ["Cluster id after", report.clusterId.after],
      ],
    },
    {
      title: "Stand-ins",
      about: "Parts of the rehearsal that are not the real ones.",
      head: ["Part"],
      rows: report.standIns.map((part) => [part]),
    },
    { title: "Gate", head: ["Line"], rows: report.gate.map((line) => [line]), long: true },
    {
      title: "Journal",
      head: ["Time", "Step", "Beat"],
      rows: report.journal.map((event) => [clock(event.time), event.step, event.beat]),
      long: true,
    },
  ];
}

/** "12.3 s", or "not measured". */
export function seconds(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} s` : "not measured";
}

/** "12,345", or "not measured". */
export function count(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US") : "not measured";
}

/** Time of day in UTC to the tenth of a second; a text that is no time stays as it is. */
function clock(time: string): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? time : `${new Date(ms).toISOString().slice(11, 21)} UTC`;
}

function text(value: number | boolean | string): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? count(value) : value;
}
