import { accessChecks } from "./accessChecks";
import { admissionChecks } from "./admissionChecks";
import { alertChecks } from "./alertChecks";
import { argoChecks } from "./argoChecks";
import { backupChecks } from "./backupChecks";
import { baseChecks } from "./baseChecks";
import { carryChecks } from "./carryChecks";
import type { Check } from "./check";
import { deliveryChecks } from "./deliveryChecks";
import { evictionChecks } from "./evictionChecks";
import { fieldChecks } from "./fieldChecks";
import { fluxChecks } from "./fluxChecks";
import { gitKeyChecks } from "./gitKeyChecks";
import { keyChecks } from "./keyChecks";
import { networkChecks } from "./networkChecks";
import { raftChecks } from "./raftChecks";
import { rehearsalChecks } from "./rehearsalChecks";
import { rollbackChecks } from "./rollbackChecks";
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
  ...gitKeyChecks,
  ...backupChecks,
  ...storageChecks,
  ...networkChecks,
  ...deliveryChecks,
  ...fluxChecks,
  ...fieldChecks,
  ...argoChecks,
  ...evictionChecks,
  ...raftChecks,
  ...alertChecks,
  ...accessChecks,
  ...admissionChecks,
  ...rehearsalChecks,
  ...rollbackChecks,
];
