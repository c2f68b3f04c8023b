import type { MigrationConfig, Stage } from "../../config";
import type { ClusterSnapshot } from "./snapshot";
import type { Observed } from "./observed";

export type Verdict = "pass" | "fail" | "unknown" | "not-applicable";

export interface Judgement {
  readonly verdict: Verdict;
  readonly found: string;
  readonly expected: string;
}

/** One precondition, as data. The runner knows no check, and no check reads another's leftovers. */
export interface Check {
  /** kebab-case, never used again for another check; waivers name it. */
  readonly id: string;
  /** The stage whose act it guards; "every" holds in each stage, also after the move. */
  readonly stage: Stage | "every" | "rollback";
  readonly hazard: {
    /** Ids of ../shared/hazards.md: I = incident, F = row of the fault matrix, H = of the seed. */
    readonly ids: readonly string[];
    /** What is lost when it is ignored. */
    readonly loss: string;
  };
  /** A "block" that fails, or cannot be known, stops the update. */
  readonly severity: "block" | "warn";
  readonly waivable: boolean;
  /** True when it guards a rollback too. @default false: what stands in the way forward must not block the way back */
  readonly alsoRollback?: boolean;
  /** Which parts of the snapshot it looks at, in words. */
  readonly observe: string;
  /** Pure and total. */
  judge(snapshot: ClusterSnapshot, config: MigrationConfig): Judgement;
  /** A command or a config key. */
  readonly remedy: string;
  readonly source: string;
}

export function pass(found: string, expected: string): Judgement {
  return { verdict: "pass", found, expected };
}

export function fail(found: string, expected: string): Judgement {
  return { verdict: "fail", found, expected };
}

export function unclear(why: string, expected: string): Judgement {
  return { verdict: "unknown", found: why, expected };
}

export function notApplicable(why: string): Judgement {
  return { verdict: "not-applicable", found: why, expected: "" };
}

/** Judges one part, or says why it is not known. */
export function seen<T>(part: Observed<T>, expected: string, judge: (value: T) => Judgement): Judgement {
  return part.known ? judge(part.value) : unclear(part.why, expected);
}

/** Like `seen`, for an object that another check already asks for: absent makes this one unknown, not a second failure. */
export function seenObject<T>(
  part: Observed<T | undefined>,
  what: string,
  expected: string,
  judge: (value: T) => Judgement,
): Judgement {
  return seen(part, expected, (value) =>
    value === undefined ? unclear(`${what} was not found`, expected) : judge(value),
  );
}

/** Judges lists of faults: none passes with `good`, some fail with all of them. */
export function faults(found: readonly string[], good: string, expected: string): Judgement {
  return found.length === 0 ? pass(good, expected) : fail(shortList(found), expected);
}

/** At most eight items in words. */
export function shortList(items: readonly string[]): string {
  const more = items.length > 8 ? ` and ${items.length - 8} more` : "";
  return items.slice(0, 8).join(", ") + more;
}
