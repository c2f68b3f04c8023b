import { admissionHazards } from "./admissionHazards";
import { auditHazards } from "./auditHazards";
import { carryHazards } from "./carryHazards";
import { evictionHazards } from "./evictionHazards";
import { placeHazards } from "./placeHazards";
import { serverHazards } from "./serverHazards";
import { sideHazards } from "./sideHazards";
import type { World } from "./snapshotBuilder";
import { tenantHazards } from "./tenantHazards";

/** One hazard, put into a healthy world: the named check, and only a change to the world, tells it from the others. */
export interface PlantedHazard {
  readonly check: string;
  readonly title: string;
  readonly world?: () => World;
  plant(world: World): unknown;
  /** Config beside the stage. @default none */
  readonly config?: Record<string, unknown>;
  /** Words that the finding must hold. */
  readonly found: RegExp;
  /** Every other check that sees the same hazard from its side: it goes through only without them too. @default none */
  readonly beside?: readonly string[] | "all";
}

/** At least one for each check. */
export const plantedHazards: readonly PlantedHazard[] = [
  ...serverHazards,
  ...carryHazards,
  ...placeHazards,
  ...tenantHazards,
  ...auditHazards,
  ...admissionHazards,
  ...evictionHazards,
  ...sideHazards,
];
