import type { HelmRelease, HelmReleaseStatus } from "./helmRelease";

const prefix = "reconcile.fluxcd.io";

/** The value of `reconcile.fluxcd.io/requestedAt`, by which a user asks for a reconcile now. */
export function requestedAt(release: HelmRelease): string | undefined {
  return release.metadata.annotations?.[`${prefix}/requestedAt`];
}

/**
 * Whether a force or reset is asked for and not yet done; notes it in the status as seen in any case.
 * It counts only together with a new `requestedAt` of the same value.
 */
export function takeRequest(
  release: HelmRelease,
  status: HelmReleaseStatus,
  kind: "force" | "reset",
): boolean {
  const field = kind === "force" ? "lastHandledForceAt" : "lastHandledResetAt";
  const asked = release.metadata.annotations?.[`${prefix}/${kind}At`];
  if (asked === undefined) return false;
  const handled = status[field];
  status[field] = asked;
  const now = requestedAt(release);
  return now === asked && now !== status.lastHandledReconcileAt && handled !== asked;
}
