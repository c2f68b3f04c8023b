import { isDeepStrictEqual } from "node:util";
import { record } from "../cluster/openBaoStatus";
import { UPGRADE_ANNOTATION, type HelmRelease } from "../steps/world";

/** No wait, no rollback, no uninstall by Flux while the server is down on purpose (hazards I8, F54). */
export const UPGRADE_WHILE_PAUSED = {
  disableWait: true,
  remediation: { retries: 0, remediateLastFailure: false },
};

/** Flux's "reconcile now": any new value. */
export function requestNow(): Record<string, string> {
  return { "reconcile.fluxcd.io/requestedAt": new Date().toISOString() };
}

/**
 * True when `spec.upgrade` is what the pause made of the original that the annotation keeps. Further fields of
 * `remediation` do not count: the API server may fill in defaults there.
 */
export function isAsPaused(release: HelmRelease): boolean {
  const original = release.metadata?.annotations?.[UPGRADE_ANNOTATION];
  if (original === undefined) return false;
  const before = record(JSON.parse(original));
  const now = release.spec?.upgrade ?? {};
  const [then, live] = [record(before["remediation"]), record(now["remediation"])];
  const wanted = { ...before, ...UPGRADE_WHILE_PAUSED, remediation: null };
  const remediation = { ...then, ...UPGRADE_WHILE_PAUSED.remediation };
  return (
    isDeepStrictEqual({ ...now, remediation: null }, wanted) &&
    Object.entries(remediation).every(([key, value]) => isDeepStrictEqual(live[key], value))
  );
}

/** Merge patch that makes `spec.upgrade` what it was: keys of ours that it lacked are removed. */
export function restored(original: Record<string, unknown> | null): Record<string, unknown> | null {
  if (original === null) return null;
  const remediation = original["remediation"] as Record<string, unknown> | undefined;
  return {
    ...original,
    disableWait: original["disableWait"] ?? null,
    remediation:
      remediation === undefined
        ? null
        : {
            ...remediation,
            retries: remediation["retries"] ?? null,
            remediateLastFailure: remediation["remediateLastFailure"] ?? null,
          },
  };
}
