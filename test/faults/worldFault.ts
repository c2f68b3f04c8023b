import type { Leg } from "../../rehearsal/move";
import type { Cut } from "../../rehearsal/injected/packetFilter";

/** What is broken beside the run while it goes on: packets, volumes, nodes. */
export const WORLD_FAULTS = [
  "net-8200",
  "net-8201",
  "net-8201-in",
  "net-node",
  "net-loss",
  "audit-off",
  "data-full",
  "drain",
] as const;
export type WorldFault = (typeof WORLD_FAULTS)[number];

/** One of them: where it may be done, for how long, and what the run must do under it. */
export interface WorldFaultRecord {
  /** Rows of the fault matrix. */
  readonly rows: readonly number[];
  readonly about: string;
  readonly stages: readonly Leg[];
  /** Only when one of these steps has come to a call. @default any of the stages */
  readonly steps?: readonly string[];
  /** Healed after so many seconds; "run": when the run has ended. */
  readonly lasts: number | "run";
  /** holds: the run must not end with 0. either: it goes on, or ends with a clear text. */
  readonly outcome: "holds" | "either";
  /** Needs a source with small volumes. @default false */
  readonly smallVolumes?: boolean;
}

const ON_RAFT: readonly Leg[] = ["replicas", "verify"];

export const WORLD_FAULT_RECORDS: Readonly<Record<WorldFault, WorldFaultRecord>> = {
  "net-8200": {
    rows: [45],
    about: "8200 between the node of openbao-0 and the others is dropped, both ways",
    stages: ["network", ...ON_RAFT],
    lasts: 45,
    outcome: "either",
  },
  "net-8201": {
    rows: [44],
    about: "8201 between the node of openbao-0 and the others is dropped, both ways",
    stages: ["network", ...ON_RAFT],
    lasts: 45,
    outcome: "either",
  },
  "net-8201-in": {
    rows: [44, 47],
    about: "8201 towards the node of openbao-0 is dropped, while it reaches the others",
    stages: ON_RAFT,
    lasts: 60,
    outcome: "either",
  },
  "net-node": {
    rows: [41, 47],
    about: "the node of openbao-0 is cut off from all others and from the API server",
    stages: ON_RAFT,
    lasts: 60,
    outcome: "either",
  },
  "net-loss": {
    rows: [48],
    about: "one packet in twenty between the pods of openbao-0's node and the others is lost",
    stages: ["network", ...ON_RAFT],
    lasts: "run",
    outcome: "either",
  },
  "audit-off": {
    rows: [36],
    about: "the audit log of openbao-0 can be opened by no server that starts",
    stages: ["cutover"],
    steps: ["carry", "final-snapshot", "set-aside", "flip", "roll"],
    lasts: "run",
    outcome: "holds",
  },
  "data-full": {
    rows: [33, 34],
    about: "the data volume of openbao-0 has no byte left",
    stages: ["cutover", "replicas", "verify"],
    steps: [
      "carry",
      "set-aside",
      "flip",
      "roll",
      "restore",
      "init",
      "unseal-0",
      "follower-1",
      "follower-2",
      "failover-drill",
    ],
    lasts: "run",
    outcome: "either",
    smallVolumes: true,
  },
  drain: {
    rows: [40, 41, 58],
    about: "the node of openbao-0 is cordoned, and its pods are evicted as far as budgets let them",
    stages: ["network", "backup", "cutover", ...ON_RAFT, "rollback", "cleanup"],
    lasts: 45,
    outcome: "either",
  },
};

/** The cut of a fault of packets; undefined for the others. */
export function cutOf(what: WorldFault): Cut | undefined {
  const [, cut] = /^net-(.+)$/.exec(what) ?? [];
  return cut as Cut | undefined;
}

/** Whether a fault can be done when `step` of `stage` has come to a call. */
export function mayBreakAt(what: WorldFault, stage: Leg, step: string): boolean {
  const { stages, steps } = WORLD_FAULT_RECORDS[what];
  return stages.includes(stage) && (steps === undefined || steps.includes(step));
}

/** What a run did that came to the fault and must not; undefined when it did right. */
export function wrongOutcome(
  what: WorldFault,
  run: { readonly code: number; readonly output: string },
): string | undefined {
  if (run.code === 0)
    return WORLD_FAULT_RECORDS[what].outcome === "holds"
      ? "the run claims success, and it must hold"
      : undefined;
  return saysWhy(run.output)
    ? undefined
    : `the run ended with ${run.code}, and no line says why in words:\n${run.output.slice(-1500)}`;
}

/** A hazard's or fault's id, a wait that names what it waited for, a step's own reason, or a finding of the gate. */
function saysWhy(output: string): boolean {
  return /\[[FIH]\d+\]|waited \d+ s for \S|\\?"why\\?":\s*\\?"[^"\\]|^\s*(?:FAIL|UNKNOWN) {2,}\S/m.test(
    output,
  );
}

/** For `npm run faults -- --list`. */
export function worldFaultLines(): string[] {
  return WORLD_FAULTS.map((what) => {
    const { rows, about, stages, steps, lasts, outcome, smallVolumes } = WORLD_FAULT_RECORDS[what];
    const where = steps === undefined ? `any step of ${stages.join(", ")}` : steps.join(", ");
    const long = lasts === "run" ? "until the run has ended" : `for ${lasts} s`;
    const must = outcome === "holds" ? "the run must hold" : "the run goes on, or holds with a clear text";
    const needs = smallVolumes === true ? "; needs --small-volumes" : "";
    return `world:${what}:STEP:CALL (${rows.map((row) => `F${row}`).join(", ")}): ${about}, ${long}; ${must}. STEP: ${where}${needs}`;
  });
}
