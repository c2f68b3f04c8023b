export interface Count {
  passed: number;
  failed: number;
}

/** Mocha's own summary where there is one; a run that died before it counts as one failure. */
export function countOf(output: string, code: number): Count {
  const passing = /^\s*(\d+) passing/m.exec(output);
  const failing = /^\s*(\d+) failing/m.exec(output);
  if (passing === null) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const failed = Number(failing?.[1] ?? 0);
  return { passed: Number(passing[1]), failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** What to show again at the end of all parts, where a log that was cut keeps it: mocha's failures, or the part's last lines. */
export function failuresOf(output: string): string {
  const summary = /^\s*\d+ failing/m.exec(output);
  return summary === null ? output.split("\n").slice(-20).join("\n") : output.slice(summary.index);
}
