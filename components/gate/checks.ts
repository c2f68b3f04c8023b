import { accessChecks } from "./accessChecks";
import { baseChecks } from "./baseChecks";
import { carryChecks } from "./carryChecks";
import type { Check } from "./check";
import { fluxChecks } from "./fluxChecks";
import { keyChecks } from "./keyChecks";
import { networkChecks } from "./networkChecks";
import { raftChecks } from "./raftChecks";
import { sourceChecks } from "./sourceChecks";
import { storageChecks } from "./storageChecks";
import { versionChecks } from "./versionChecks";

/** Every check; docs/hazards.md is made from these records. */
export const checks: readonly Check[] = [
  ...baseChecks,
  ...sourceChecks,
  ...carryChecks,
  ...versionChecks,
  ...keyChecks,
  ...storageChecks,
  ...networkChecks,
  ...fluxChecks,
  ...raftChecks,
  ...accessChecks,
];
