import { verdict, type RunReport } from "./runReport";

/** One part of the report: a heading and a table; both forms of the report are made from the same parts. */
export interface Section {
  readonly heading: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The report's tables in their order. */
export function sections(report: RunReport): Section[] {
  const { outage, manifest } = report;
  return [
    {
      heading: `Claims (${verdict(report)})`,
      columns: ["Claim", "Holds", "Seen"],
      rows: report.claims.map((one) => [one.claim, one.holds ? "yes" : "NO", one.seen]),
    },
    {
      heading: "Write outage, measured by the client",
      columns: [
        "Longest (s)",
        "From",
        "To",
        "Acknowledged writes",
        "Lost",
        "Wrong",
        "Failed writes",
        "Failover drill (s)",
      ],
      rows: [
        [
          (outage.longestMs / 1000).toFixed(1),
          outage.from,
          outage.to,
          String(outage.acknowledged),
          String(outage.lost),
          String(outage.wrong),
          String(outage.failedWrites),
          report.failoverSeconds.toFixed(1),
        ],
      ],
    },
    {
      heading: "Stages",
      columns: ["Stage", "Started", "Ended", "Preview (s)", "Up (s)", "Resources"],
      rows: report.stages.map((stage) => [
        stage.name,
        stage.startedAt,
        stage.endedAt,
        stage.previewSeconds.toFixed(1),
        stage.upSeconds.toFixed(1),
        stage.summary,
      ]),
    },
    {
      heading: "Carried data (file storage and Raft store, same manifest before the first unseal)",
      columns: ["Entries", "SHA-256 of the manifest", "Copy (s)", "Entries a second"],
      rows: [
        [String(manifest.entries), manifest.digest, String(manifest.seconds), String(manifest.keysPerSecond)],
      ],
    },
    {
      heading: "Content inventory, before the cutover against the end",
      columns: ["What", "Found"],
      rows: Object.entries(report.inventory).map(([key, value]) => [key, String(value)]),
    },
    {
      heading: "Raft peers",
      columns: ["Node", "Address", "Leader", "Voter"],
      rows: report.peers.map((p) => [p.nodeId, p.address, p.leader ? "yes" : "no", p.voter ? "yes" : "no"]),
    },
    {
      heading: "Cluster",
      columns: ["What", "Value"],
      rows: [
        ["cluster id before", report.clusterId.before],
        ["cluster ids after", report.clusterId.after],
        ["KV entries, seed", `${report.keys}, ${report.seed}`],
        ["machine", report.machine],
        ...Object.entries(report.versions),
      ],
    },
    { heading: "Stand-ins used", columns: ["Part"], rows: report.standIns.map((one) => [one]) },
    { heading: "Gate", columns: ["Line"], rows: report.gate.map((line) => [line]) },
    {
      heading: "Journal",
      columns: ["Time", "Step", "Beat"],
      rows: report.journal.map((entry) => [entry.time, entry.step, entry.beat]),
    },
  ];
}
