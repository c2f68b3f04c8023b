import { PROJECT, type ConfigFinding, type MigrationConfig } from "../../config";
import type { Check } from "./check";
import type { Row } from "./verdicts";

export type Waiver = MigrationConfig["waivers"][number];

/** The waiver that counts for a check on the day of `now` (RFC 3339): named, waivable and not expired. */
export function waiverOf(check: Check, waivers: readonly Waiver[], now: string): Waiver | undefined {
  if (!check.waivable) return undefined;
  return waivers.find((waiver) => waiver.check === check.id && !hasExpired(waiver, now));
}

/** A waiver is a decision to look at again; days. */
const MAX_WAIVER_DAYS = 90;

/** What is wrong with the waivers: unknown, expired, too far ahead, not waivable, given twice, or not needed. */
export function waiverFindings(
  waivers: readonly Waiver[],
  checks: readonly Check[],
  rows: readonly Row[],
  now: string,
): readonly ConfigFinding[] {
  return waivers.flatMap((waiver, index) => {
    const fault = faultOf(waiver, index, waivers, checks, rows, now);
    return fault === undefined ? [] : [{ key: `${PROJECT}:waivers[${index}]`, ...fault }];
  });
}

function faultOf(
  waiver: Waiver,
  index: number,
  waivers: readonly Waiver[],
  checks: readonly Check[],
  rows: readonly Row[],
  now: string,
): Omit<ConfigFinding, "key"> | undefined {
  const remove = `pulumi config rm --path '${PROJECT}:waivers[${index}]'`;
  const check = checks.find((one) => one.id === waiver.check);
  const found = `check "${waiver.check}"`;
  if (check === undefined) {
    return { found, expected: "the id of a check (docs/hazards.md lists them)", fix: remove };
  }
  if (!check.waivable) {
    return { found, expected: "a check that can be waived: this one cannot", fix: remove };
  }
  if (hasExpired(waiver, now)) {
    return {
      found: `${found}, expired ${waiver.expires}`,
      expected: "a date that has not passed",
      fix: `${remove}, or renew it`,
    };
  }
  const latest = dayAfter(now, MAX_WAIVER_DAYS);
  if (waiver.expires > latest) {
    return {
      found: `${found}, expires ${waiver.expires}`,
      expected: `a day at most ${MAX_WAIVER_DAYS} days ahead, so ${latest} or before`,
      fix: `pulumi config set --path '${PROJECT}:waivers[${index}].expires' ${latest}`,
    };
  }
  if (waivers.findIndex((one) => one.check === waiver.check) !== index) {
    return { found: `${found} once more`, expected: "one waiver a check", fix: remove };
  }
  // A waiver of a stage that is done was needed once; only one that a passing check makes needless is an error.
  const row = rows.find((one) => one.check.id === waiver.check);
  return row?.outcome === "PASS"
    ? { found: `${found}, which passes`, expected: "a waiver that is needed", fix: remove }
    : undefined;
}

/** The day, as YYYY-MM-DD, so many days after `now` (RFC 3339). */
function dayAfter(now: string, days: number): string {
  return new Date(Date.parse(now) + days * 86_400_000).toISOString().slice(0, 10);
}

function hasExpired(waiver: Waiver, now: string): boolean {
  return waiver.expires < now.slice(0, 10);
}
