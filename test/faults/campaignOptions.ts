import { parseArgs } from "node:util";
import { namedFaults } from "./chooseFaults";
import { parseFault } from "./fault";
import type { FaultRunOptions } from "./faultRun";
import { movePathOf, type MovePath } from "./movePath";

export interface Campaign extends MovePath {
  readonly runs: number;
  readonly keys: number;
  readonly seed: string;
  readonly pairs: boolean;
  /** The source's data volumes are small file systems of their own. */
  readonly smallVolumes: boolean;
  /** Goes on where a campaign of the same seed ended. */
  readonly goOn: boolean;
  /** Faults of the one run that is wanted; absent: they are chosen. */
  readonly named?: FaultRunOptions["faults"];
}

/** @throws Error that names the wrong option. @returns undefined where only the list is wanted */
export function campaignOf(args: readonly string[]): Campaign | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      keys: { type: "string", default: "50" },
      carry: { type: "string", default: "migrate" },
      rollback: { type: "string" },
      cleanup: { type: "boolean", default: false },
      pairs: { type: "boolean", default: false },
      "small-volumes": { type: "boolean", default: false },
      continue: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      faults: { type: "string" },
    },
  });
  if (values.list) return undefined;
  if (!/^[-\w]{1,40}$/.test(values.seed))
    throw new Error(
      `--seed ${JSON.stringify(values.seed)}: expected 1 to 40 letters, digits, "-" and "_", such as --seed 7`,
    );
  const path = movePathOf(values);
  if (values.continue && values.faults !== undefined)
    throw new Error(
      "--continue with --faults: one named run has nothing to go on with; leave one of the two out",
    );
  const faults = values.faults
    ?.split(/\s+/)
    .filter((text) => text !== "")
    .map(parseFault);
  const needsSmall = faults?.some((fault) => fault.kind === "world" && fault.what === "data-full") ?? false;
  if (needsSmall && !values["small-volumes"])
    throw new Error(
      "--faults names data-full without --small-volumes: only a volume that is a file system of its own is filled; add --small-volumes",
    );
  return {
    runs: wholeNumber("runs", values.runs, 1),
    keys: wholeNumber("keys", values.keys, 10),
    seed: values.seed,
    ...path,
    pairs: values.pairs,
    smallVolumes: values["small-volumes"],
    goOn: values.continue,
    ...(faults !== undefined && { named: namedFaults(faults) }),
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new Error(
      `--${name} ${JSON.stringify(text)}: expected a whole number of at least ${least}, such as --${name} ${least}`,
    );
  return Number(text);
}
