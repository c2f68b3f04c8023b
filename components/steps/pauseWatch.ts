import { setTimeout as delay } from "node:timers/promises";
import { KubeError, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { releasePath } from "../delivery/releaseReader";
import { fieldConflicts } from "./fieldConflicts";
import { isOwner, ownerPath, pauseBroken, resumedBySomebody, writersOf } from "./pauseRecord";
import { Refused, type StepContext } from "./runStep";
import { waitingUnder } from "./waitGuard";
import type { HelmRelease } from "./world";

/** Between two looks at what is not watched: the CronJobs, and Helm's revisions. */
const LOOK_EVERY_MS = 5_000;
/** A watch that saw what a whole look did not confirm is not asked again at once. */
const RECHECK_MS = 1_000;
const WATCH_SECONDS = 3_600;

/** One whole look. @throws Refused when the pause is broken (hazard F53) */
export type StillPaused = () => Promise<void>;

/**
 * Runs `work` while the HelmRelease and the Kustomization that applies it are watched. Once somebody has ended the pause,
 * every wait of `work` ends, and so does what comes after its next `fence.assertHeld()`: nothing is written on what this
 * program knew when it paused, and nothing is put back.
 * @throws Refused that names who ended it (hazard F53)
 */
export async function whilePaused<T>(
  ctx: StepContext,
  work: (watched: StepContext, stillPaused: StillPaused) => Promise<T>,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<T> {
  const [ended, broken] = [new AbortController(), new AbortController()];
  const stillPaused: StillPaused = async () => {
    broken.signal.throwIfAborted();
    const why = await pauseBroken(ctx).catch(goneWords);
    if (why === undefined) return;
    broken.abort(new Refused(`${why} [F53]`, "F53"));
    broken.signal.throwIfAborted();
  };
  const look = () => stillPaused().catch(() => undefined);
  void followWriters(ctx, ended.signal, look);
  const timer = setInterval(() => void look(), lookEveryMs);
  try {
    return await waitingUnder(broken.signal, () =>
      work(watchedContext(ctx, broken.signal, stillPaused), stillPaused),
    );
  } finally {
    clearInterval(timer);
    ended.abort();
  }
}

/** Waits end when the pause does; the steps call assertHeld before each act that cannot be taken back. */
function watchedContext(ctx: StepContext, broken: AbortSignal, stillPaused: StillPaused): StepContext {
  const kube = Object.create(ctx.kube) as KubeClient;
  kube.waitFor = (collection, which, done, options) => {
    const signal = options.signal === undefined ? broken : AbortSignal.any([broken, options.signal]);
    return ctx.kube.waitFor(collection, which, done, { ...options, signal });
  };
  const fence = {
    holder: ctx.fence.holder,
    value: ctx.fence.value,
    async assertHeld() {
      await ctx.fence.assertHeld();
      await stillPaused();
    },
  };
  return { ...ctx, kube, fence };
}

/** Never throws: a watch that cannot be had costs its speed, and the looks remain. */
async function followWriters(ctx: StepContext, ended: AbortSignal, look: () => Promise<void>): Promise<void> {
  try {
    const release = releasePath(ctx.input);
    const paths = (await writersOf(ctx))
      .filter((writer) => writer.path === release || isOwner(writer))
      .map(({ path }) => path);
    await Promise.all(paths.map((path) => follow(ctx, path, ended, look)));
  } catch (error) {
    if (!ended.aborted) ctx.log(`the pause is not watched, and looked at now and then: ${String(error)}`);
  }
}

async function follow(
  ctx: StepContext,
  path: string,
  ended: AbortSignal,
  look: () => Promise<void>,
): Promise<void> {
  const collection = path.split("/").slice(0, -1).join("/");
  const name = path.split("/").at(-1)!;
  const options = { what: `${name} to be resumed`, timeoutSeconds: WATCH_SECONDS, signal: ended };
  while (!ended.aborted) {
    try {
      await ctx.kube.waitFor<KubeObject>(collection, name, (seen) => mayBeBroken(ctx, path, seen), options);
      await look();
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === "Timeout")) throw error;
    }
    await delay(RECHECK_MS, undefined, { signal: ended });
  }
}

/** What one object tells; a whole look confirms it. */
function mayBeBroken(ctx: StepContext, path: string, object: KubeObject | undefined): boolean {
  if (object === undefined) return true;
  const release = releasePath(ctx.input);
  // With Helm it is this program's own Secret, which says nothing while it is there.
  if (ctx.input.delivery === "helm" && path === release) return false;
  if (resumedBySomebody([{ path, object }], release).length > 0) return true;
  const owned = object as HelmRelease;
  return path === release && fieldConflicts(owned, ownerPath(owned) !== undefined).length > 0;
}

/** A HelmRelease or Kustomization that is gone is paused no more; another failure of a look says nothing. */
function goneWords(error: unknown): string {
  if (!(error instanceof KubeError) || error.status !== 404) throw error;
  return `${error.message}: it was deleted in the middle of the migration. Nothing is changed`;
}
