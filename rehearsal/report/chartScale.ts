import type { AvailabilityBucket } from "./runReport";

const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Length of a bucket in milliseconds. @default 1000 where there are fewer than two */
export function bucketLength(buckets: readonly AvailabilityBucket[]): number {
  return buckets.length < 2 ? 1000 : Math.max(1, buckets[1]!.atMs - buckets[0]!.atMs);
}

/** Ticks of a time axis from `fromMs` to `toMs`: at most `most`, at round distances from the start. */
export function timeTicks(fromMs: number, toMs: number, most: number): { atMs: number; label: string }[] {
  const total = Math.max(0, toMs - fromMs) / 1000;
  const step = TICK_SECONDS.find((seconds) => total / seconds <= most) ?? Math.ceil(total / most);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, n) => ({
    atMs: fromMs + n * step * 1000,
    label: elapsed(n * step),
  }));
}

/** The lowest of 1, 2, 4, 5, 8 times a power of ten that is not under `value`; each can be halved into round ticks. */
export function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (([1, 2, 4, 5, 8, 10].find((factor) => factor * power >= value) ?? 10) as number) * power;
}

function elapsed(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
