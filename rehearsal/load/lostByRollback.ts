import { ROLLBACK_END, type JournalEntry } from "../../components/cluster/journal";
import { acknowledged, type LoadLog } from "./loadLog";

/** A time in milliseconds since 1970, at both ends of which no server ran. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LostWrites {
  /** Writes acknowledged in the window. */
  readonly inWindow: number;
  /** Sequence numbers that are gone, and were acknowledged in the window: a rollback says so beforehand. */
  readonly expected: readonly number[];
  /** Sequence numbers that are gone all the same: a loss. */
  readonly unexpected: readonly number[];
}

/**
 * The time in which the store that a rollback gave up took writes: from the cutover's stop to the rollback's. Undefined
 * when no rollback has ended.
 */
export function onRaftBetween(journal: readonly JournalEntry[]): Window | undefined {
  const end = journal.findIndex((entry) => entry.step === ROLLBACK_END && entry.beat === "done");
  const before = journal.slice(0, Math.max(0, end));
  const at = (step: string) =>
    Date.parse(before.findLast((entry) => entry.step === step && entry.beat === "done")?.time ?? "");
  const [fromMs, toMs] = [at("stop"), at("rollback-stop")];
  return Number.isNaN(fromMs) || Number.isNaN(toMs) ? undefined : { fromMs, toMs };
}

/** Tells the losses that the rollback announced from all others. */
export function splitLost(log: LoadLog, lost: readonly number[], window: Window | undefined): LostWrites {
  if (window === undefined) return { inWindow: 0, expected: [], unexpected: lost };
  const inside = new Set(
    acknowledged({
      ...log,
      attempts: log.attempts.filter(({ endMs }) => endMs > window.fromMs && endMs < window.toMs),
    }),
  );
  return {
    inWindow: inside.size,
    expected: lost.filter((sequence) => inside.has(sequence)),
    unexpected: lost.filter((sequence) => !inside.has(sequence)),
  };
}
