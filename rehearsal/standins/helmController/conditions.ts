import type { HelmReleaseStatus } from "./helmRelease";

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

const longestMessage = 8000;

/** Sets one condition for a generation; the transition time moves only when the status does. */
export function setCondition(
  status: HelmReleaseStatus,
  generation: number,
  wanted: Pick<Condition, "type" | "status" | "reason" | "message">,
  now: Date = new Date(),
): void {
  const before = findCondition(status, wanted.type);
  const next: Condition = {
    ...wanted,
    message: wanted.message.slice(0, longestMessage),
    lastTransitionTime:
      before?.status === wanted.status
        ? before.lastTransitionTime
        : now.toISOString().replace(/\.\d+Z$/, "Z"),
    observedGeneration: generation,
  };
  status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== wanted.type), next];
}

export function removeCondition(status: HelmReleaseStatus, type: string): void {
  status.conditions = (status.conditions ?? []).filter((condition) => condition.type !== type);
}

export function findCondition(status: HelmReleaseStatus, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/**
 * Derives Ready from Remediated and Released, as Flux does: the one seen for the newest generation counts, and of
 * equals Remediated does, which is never good news.
 */
export function summarize(status: HelmReleaseStatus, generation: number, now: Date = new Date()): void {
  const candidates = ["Remediated", "Released"].flatMap((type) => findCondition(status, type) ?? []);
  const newest = Math.max(...candidates.map((condition) => condition.observedGeneration ?? 0));
  const decisive = candidates.find((condition) => (condition.observedGeneration ?? 0) === newest);
  if (!decisive) return;
  const ready = decisive.type === "Remediated" ? "False" : decisive.status;
  if (ready === "True") removeCondition(status, "Stalled");
  const { reason, message } = decisive;
  setCondition(status, generation, { type: "Ready", status: ready, reason, message }, now);
}
