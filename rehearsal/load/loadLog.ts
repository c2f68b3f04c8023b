/** One attempt of the client load; times in milliseconds since the epoch. */
export interface Attempt {
  readonly op: "write" | "read";
  readonly sequence: number;
  /** 1, or 2 for the one retry at once on a new connection. */
  readonly try: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly ok: boolean;
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  /** A word for a failure: dns, refused, timeout, cut, status, lost, other-data. */
  readonly why?: string;
}

/** Everything that a client load printed, in the order of the attempts' ends. */
export interface LoadLog {
  /** API path below which this load wrote, such as `secret/data/load/l7x2`; "" when its start was not seen. */
  readonly prefix: string;
  readonly attempts: readonly Attempt[];
  /** How many acknowledged writes the client counted at its end; undefined when its end was not seen. */
  readonly counted?: number;
}

/** A time without an acknowledged write: from the end of the last one before to the end of the first one after. */
export interface Outage {
  readonly startMs: number;
  readonly endMs: number;
  readonly lengthMs: number;
}

/** One bucket of the availability series. */
export interface Availability {
  /** Start of the bucket. */
  readonly atMs: number;
  readonly ok: number;
  readonly failed: number;
}

/** Numbers of a load, for the report. */
export interface LoadSummary {
  readonly acknowledged: number;
  /** Writes that failed in both tries. */
  readonly failedWrites: number;
  /** Writes that failed at first and passed on the retry. */
  readonly retriedWrites: number;
  readonly reads: number;
  readonly failedReads: number;
  /** Reads of an acknowledged entry that was answered as absent or as something else. */
  readonly wrongReads: number;
  readonly failedAttempts: Readonly<Record<string, number>>;
  /** Longest time in which the client itself started nothing: not the server's doing. In milliseconds. */
  readonly clientStallMs: number;
  readonly longestOutage: Outage;
}

interface Line {
  o?: unknown;
  n?: unknown;
  t?: unknown;
  s?: unknown;
  e?: unknown;
  ok?: unknown;
  c?: unknown;
  why?: unknown;
  acknowledged?: unknown;
  prefix?: unknown;
}

/** Reads the client's JSON lines; lines that come twice (a log that was read again) count once, others are skipped. */
export function parseLoadLog(lines: Iterable<string>): LoadLog {
  const attempts = new Map<string, Attempt>();
  let counted: number | undefined;
  let prefix = "";
  for (const text of lines) {
    const line = parsed(text);
    if (line?.o === "start" && typeof line.prefix === "string") prefix = line.prefix;
    if (line?.o === "end" && typeof line.acknowledged === "number") counted = line.acknowledged;
    const attempt = line && attemptOf(line);
    if (attempt) attempts.set(`${attempt.op}/${attempt.sequence}/${attempt.try}/${attempt.startMs}`, attempt);
  }
  const ordered = [...attempts.values()].sort((a, b) => a.endMs - b.endMs || a.sequence - b.sequence);
  return { prefix, attempts: ordered, ...(counted !== undefined && { counted }) };
}

/** Sequence numbers of the acknowledged writes, in ascending order. */
export function acknowledged(log: LoadLog): number[] {
  const sequences = new Set(
    writes(log)
      .filter(({ ok }) => ok)
      .map(({ sequence }) => sequence),
  );
  return [...sequences].sort((a, b) => a - b);
}

/**
 * Every time of `minimumMs` and more without an acknowledged write, the longest first. An end of the log without one
 * counts up to its last attempt. Only what overlaps `fromMs` to `toMs` is given. @default the whole log
 */
export function outages(log: LoadLog, minimumMs: number, fromMs = -Infinity, toMs = Infinity): Outage[] {
  const all = writes(log);
  const first = all.reduce((earliest, { startMs }) => Math.min(earliest, startMs), Infinity);
  const last = all.at(-1)?.endMs;
  if (last === undefined) return [];
  const ends = [first, ...all.filter(({ ok }) => ok).map(({ endMs }) => endMs), last];
  const gaps = ends.slice(1).map((endMs, at) => ({ startMs: ends[at]!, endMs, lengthMs: endMs - ends[at]! }));
  return gaps
    .filter((gap) => gap.lengthMs >= minimumMs && gap.endMs > fromMs && gap.startMs < toMs)
    .sort((a, b) => b.lengthMs - a.lengthMs);
}

/** The longest time without an acknowledged write that overlaps `fromMs` to `toMs`; of length 0 when there is no write. */
export function longestOutage(log: LoadLog, fromMs = -Infinity, toMs = Infinity): Outage {
  return outages(log, 0, fromMs, toMs)[0] ?? { startMs: 0, endMs: 0, lengthMs: 0 };
}

/** Write attempts by the time they ended, in buckets of `bucketMs` without a hole between the first and the last. @default 250 */
export function availability(log: LoadLog, bucketMs = 250): Availability[] {
  const all = writes(log);
  if (all.length === 0) return [];
  const bucketOf = (ms: number) => Math.floor(ms / bucketMs);
  const first = bucketOf(all[0]!.endMs);
  const counts = Array.from({ length: bucketOf(all.at(-1)!.endMs) - first + 1 }, () => ({
    ok: 0,
    failed: 0,
  }));
  for (const { endMs, ok } of all) counts[bucketOf(endMs) - first]![ok ? "ok" : "failed"]++;
  return counts.map((count, at) => ({ atMs: (first + at) * bucketMs, ...count }));
}

/** The numbers of a load. */
export function summarise(log: LoadLog): LoadSummary {
  const passed = new Set(acknowledged(log));
  const failedFirst = writes(log).filter((write) => !write.ok && write.try === 1);
  const tried = new Set(writes(log).map(({ sequence }) => sequence));
  const reads = log.attempts.filter(({ op }) => op === "read");
  const failedAttempts: Record<string, number> = {};
  for (const { ok, why, code } of log.attempts) {
    if (ok) continue;
    const cause = why === undefined || why === "status" ? `HTTP ${code}` : why;
    failedAttempts[cause] = (failedAttempts[cause] ?? 0) + 1;
  }
  const starts = log.attempts.map(({ startMs }) => startMs).sort((a, b) => a - b);
  return {
    acknowledged: passed.size,
    failedWrites: tried.size - passed.size,
    retriedWrites: failedFirst.filter(({ sequence }) => passed.has(sequence)).length,
    reads: reads.length,
    failedReads: reads.filter(({ ok }) => !ok).length,
    wrongReads: reads.filter(({ why }) => why === "lost" || why === "other-data").length,
    failedAttempts,
    clientStallMs: starts.slice(1).reduce((longest, start, at) => Math.max(longest, start - starts[at]!), 0),
    longestOutage: longestOutage(log),
  };
}

function writes(log: LoadLog): Attempt[] {
  return log.attempts.filter(({ op }) => op === "write");
}

function parsed(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // A line cut in the middle, by a stream that broke, comes again when the log is read again.
    return undefined;
  }
}

function attemptOf(line: Line): Attempt | undefined {
  const { o, n, t, s, e, ok, c, why } = line;
  if ((o !== "W" && o !== "R") || typeof ok !== "boolean") return undefined;
  if (typeof n !== "number" || typeof t !== "number" || typeof s !== "number") return undefined;
  if (typeof e !== "number" || typeof c !== "number") return undefined;
  const op = o === "W" ? "write" : "read";
  const reason = typeof why === "string" ? { why } : {};
  return { op, sequence: n, try: t, startMs: s, endMs: e, ok, code: c, ...reason };
}
