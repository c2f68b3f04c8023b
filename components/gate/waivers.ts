import { PROJECT, type ConfigFinding, type MigrationConfig } from "../../config";
import type { Check } from "./check";
import type { Row } from "./verdicts";

export type Waiver = MigrationConfig["waivers"][number];

/** The waiver that counts for a check on the day of `now` (RFC 3339): named, waivable and not expired. */
export function waiverOf(check: Check, waivers: readonly Waiver[], now: string): Waiver | undefined {
  if (!check.waivable) return undefined;
  return waivers.find((waiver) => waiver.check === check.id && !hasExpired(waiver, now));
}

/** What is wrong with the waivers: unknown, expired, not waivable, given twice, or not needed. */
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
  if (waivers.findIndex((one) => one.check === waiver.check) !== index) {
    return { found: `${found} once more`, expected: "one waiver a check", fix: remove };
  }
  // A waiver of a stage that is done was needed once; only one that a passing check makes needless is an error.
  const row = rows.find((one) => one.check.id === waiver.check);
  return row?.outcome === "PASS"
    ? { found: `${found}, which passes`, expected: "a waiver that is needed", fix: remove }
    : undefined;
}

function hasExpired(waiver: Waiver, now: string): boolean {
  return waiver.expires < now.slice(0, 10);
}
