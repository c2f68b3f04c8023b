import { z } from "zod";

/** OpenBao's own timing; it is not written into the server config. */
export const DEFAULT_PERFORMANCE_MULTIPLIER = 5;

/** Config keys of the Raft cluster that the move ends with. */
export const raftKeys = {
  replicas: z
    .number()
    .int()
    .min(3)
    .max(7)
    .refine((n) => n % 2 === 1, "an odd number: an even one adds a node and no tolerance")
    .default(3)
    .describe("Raft nodes at the end"),
  performanceMultiplier: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(DEFAULT_PERFORMANCE_MULTIPLIER)
    .describe("Raft's timing, performance_multiplier of the server config: 1 is the fastest"),
};

/** What of it the server config is told; nothing for OpenBao's own timing. */
export function raftTiming(multiplier: number | undefined): { readonly performanceMultiplier?: number } {
  return multiplier === undefined || multiplier === DEFAULT_PERFORMANCE_MULTIPLIER
    ? {}
    : { performanceMultiplier: multiplier };
}
