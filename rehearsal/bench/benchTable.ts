/** What was measured at one size. */
export interface BenchRow {
  /** KV entries asked for. */
  readonly keys: number;
  /** Entries in the store: what is copied. */
  readonly entries: number;
  readonly hand: Measured;
  readonly program: Measured;
}

export interface Measured {
  /** Longest time without an acknowledged write around the cutover, in milliseconds. */
  readonly outageMs: number;
  /** Of the copy alone, in whole seconds. */
  readonly copySeconds: number;
}

/** The numbers of design.md. */
const GOAL_ENTRIES_PER_SECOND = 3_000;

/** Write outage that design.md allows for a number of keys, in seconds. */
export function outageGoal(keys: number): number {
  if (keys <= 1_000) return 20;
  return keys <= 10_000 ? 30 : 90;
}

/** Pure: the table, in Markdown. One run is one run: no percentile is made from it. */
export function benchTable(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) =>
    [
      row.keys,
      row.entries,
      seconds(row.hand.outageMs),
      rate(row, row.hand),
      seconds(row.program.outageMs),
      rate(row, row.program),
      outageGoal(row.keys),
      GOAL_ENTRIES_PER_SECOND,
    ].join(" | "),
  );
  return [
    "| KV keys | entries | by hand: outage s | by hand: entries/s | program: outage s | program: entries/s | goal: outage s | goal: entries/s |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/** A copy of under a second has no rate: the clock has whole seconds. */
function rate({ entries }: BenchRow, { copySeconds }: Measured): string {
  return copySeconds < 1 ? `over ${entries}` : String(Math.round(entries / copySeconds));
}
