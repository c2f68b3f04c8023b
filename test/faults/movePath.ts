import { CARRIES } from "../../components/carryConfig";
import { STAGES, type Stage } from "../../config";
import type { Leg } from "../../rehearsal/move";

/** Every leg that a fault can be in. */
export const LEGS: readonly Leg[] = [...STAGES, "rollback", "cleanup"];

/** The way that each run of a campaign takes. */
export interface MovePath {
  /** The data path; all but migrate start from a source on Raft with one node. @default migrate */
  readonly carry: (typeof CARRIES)[number];
  /** Goes to this stage without a fault, takes the move back, and moves again. @default no way back */
  readonly rollback?: Stage;
  /** After stage land, removes the old file storage. */
  readonly cleanup: boolean;
}

/** As options of `npm run faults`; "" for a plain migrate. */
export function pathText({ carry, rollback, cleanup }: MovePath): string {
  return [
    carry === "migrate" ? "" : ` --carry ${carry}`,
    rollback === undefined ? "" : ` --rollback ${rollback}`,
    cleanup ? " --cleanup" : "",
  ].join("");
}

/** @throws Error that names the wrong option */
export function movePathOf(values: {
  readonly carry: string;
  readonly rollback?: string | undefined;
  readonly cleanup: boolean;
}): MovePath {
  const carry = oneOf("carry", values.carry, CARRIES);
  const rollback =
    values.rollback === undefined
      ? undefined
      : oneOf("rollback", values.rollback, STAGES.slice(0, STAGES.indexOf("land")));
  const { cleanup } = values;
  if (carry !== "migrate" && (rollback !== undefined || cleanup))
    throw new Error(
      `--carry ${carry} with ${cleanup ? "--cleanup" : "--rollback"}: only carry migrate leaves a file storage; leave one of the two out`,
    );
  return { carry, ...(rollback !== undefined && { rollback }), cleanup };
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new Error(
    `--${flag} ${JSON.stringify(value)}: expected one of ${allowed.join(", ")}, such as --${flag} ${allowed[0]}`,
  );
}
