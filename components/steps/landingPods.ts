import type { JournalEntry } from "../cluster/journal";
import { record } from "../cluster/openBaoStatus";
import { PODS_WORDS, type Drift } from "./drift";
import { appliedRelease, type AppliedRelease } from "./landedRelease";
import { isMarked } from "./pauseRecord";
import { podUids, restartedPods } from "./podUids";
import type { Facts, StepContext } from "./runStep";
import type { HelmRelease } from "./world";

/** Server pods by name, each as uid and restart count. */
export type PodIdentities = Readonly<Record<string, string>>;

/** What the proof after the un-pause compares with; nothing once the release runs, since then it may be too late. */
export async function beforeUnpause(ctx: StepContext, release: HelmRelease): Promise<Facts> {
  if (!isMarked(release)) return {};
  const applied = await appliedRelease(ctx, release);
  return {
    pods: Object.fromEntries(await podUids(ctx)),
    ...(applied && { revision: applied.revision, chart: applied.chart }),
  };
}

export interface Baseline extends Partial<AppliedRelease> {
  /** Absent where an earlier version of this program resumed. */
  readonly pods?: PodIdentities;
  /** True when a run told of restarted pods and refused: those count from then on. */
  readonly told: boolean;
}

/** Pure: by the newest entry of step resume that was written before the un-pause, and by what `step` has told since. */
export function baselineOf(entries: readonly JournalEntry[], step: string): Baseline {
  const found = entries.findLastIndex((one) => one.step === "resume" && one.beat === "act" && hasPods(one));
  const since = entries.slice(found + 1).filter((one) => one.step === step);
  const refused = since.findLastIndex(
    ({ beat, observed }) => beat === "refused" && String(observed["why"]).includes(PODS_WORDS),
  );
  const told = since.slice(0, refused + 1).findLast((one) => one.beat === "act" && hasPods(one));
  const { revision, chart } = entries[found]?.observed ?? {};
  const pods = (told ?? entries[found])?.observed["pods"] as PodIdentities | undefined;
  return {
    told: told !== undefined,
    ...(pods !== undefined && { pods }),
    ...(typeof revision === "number" && { revision }),
    ...(typeof chart === "string" && { chart }),
  };
}

/** Pure: pods that are not those of before, that are gone, or that are new. */
export function podDrift(before: PodIdentities, now: PodIdentities): Drift[] {
  const other = restartedPods(new Map(Object.entries(before)), new Map(Object.entries(now)));
  const added = Object.keys(now).filter((name) => before[name] === undefined);
  const how = (name: string): string => {
    const [then, live] = [before[name]?.split("/"), now[name]?.split("/")];
    if (live === undefined) return "gone";
    if (then === undefined) return "new";
    return then[0] === live[0] ? `restarts ${then[1]}, then ${live[1]}` : "another uid";
  };
  return [...other, ...added].map((name) => ({
    part: "pods",
    object: `pod ${name}`,
    field: PODS_WORDS,
    how: how(name),
  }));
}

function hasPods({ observed }: JournalEntry): boolean {
  return Object.keys(record(observed["pods"])).length > 0;
}
