import { createHash } from "node:crypto";
import { z } from "zod";

/** What must be the same in the rehearsal and here, each part in words that a person can compare. */
export const planParts = z.strictObject({
  /** SHA-256 of the program's files. */
  program: z.string().max(100),
  /** SHA-256 of the ordered steps. */
  steps: z.string().max(100),
  carry: z.string().max(100),
  replicas: z.string().max(100),
  /** Raft's timing: the election that ends the outage is made with it. */
  timing: z.string().max(100),
  /** Name and version of the chart. */
  chart: z.string().max(300),
  /** Version of OpenBao. */
  openbao: z.string().max(300),
  /** TLS of the API listener. */
  listener: z.string().max(300),
  /** Declared audit devices. */
  audit: z.string().max(2000),
  /** How the StatefulSet runs its pods, and their volumes. */
  pods: z.string().max(2000),
});

export type PlanParts = z.infer<typeof planParts>;

/** SHA-256 of the parts, whatever their order. */
export function planDigest(parts: PlanParts): string {
  const sorted = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}

/** The parts that differ, each as "chart: rehearsed openbao 0.29.1, here openbao 0.29.2". */
export function planDifferences(rehearsed: PlanParts, here: PlanParts): string[] {
  return (Object.keys(here) as (keyof PlanParts)[])
    .filter((part) => rehearsed[part] !== here[part])
    .map((part) => `${part}: rehearsed ${short(rehearsed[part])}, here ${short(here[part])}`);
}

function short(text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text;
}
