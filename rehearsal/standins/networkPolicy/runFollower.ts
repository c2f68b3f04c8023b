import { rm, writeFile } from "node:fs/promises";

/** Something that changes by itself and is followed until it is stopped. */
export interface Followed {
  /** Whether it has been read in full at least once. */
  readonly synced: boolean;
  run(onChange: () => void): Promise<void>;
  stop(): void;
}

export interface FollowerArgs {
  readonly sources: readonly Followed[];
  /** Brings the world in line with the sources; false when something has to be tried again. */
  readonly reconcile: () => Promise<boolean>;
  /** File that is made once everything has been read and reconciled for the first time. */
  readonly readyFile: string;
}

/** Changes closer together than this are reconciled at once. */
const settleMs = 30;
/** How often a failed reconcile is tried again, and changes outside the API are looked for. */
const recheckMs = 2_000;

/** Runs a stand-in: reconciles soon after each change in the sources, never two at a time, until SIGTERM or SIGINT. */
export async function runFollower({ sources, reconcile, readyFile }: FollowerArgs): Promise<void> {
  await rm(readyFile, { force: true });
  let timer: NodeJS.Timeout | undefined;
  let work = Promise.resolve();
  let ready = false;

  const pass = async (): Promise<void> => {
    // A change from here on is not in this pass, so it has to be able to ask for the next one.
    timer = undefined;
    // Half a picture would lead to half the rules.
    if (!sources.every((source) => source.synced)) return;
    const complete = await reconcile().catch((error: unknown) => {
      console.error(`${error instanceof Error ? error.message : String(error)}; trying again`);
      return false;
    });
    if (complete && !ready) {
      ready = true;
      await writeFile(readyFile, `${new Date().toISOString()}\n`);
    }
  };
  const schedule = (): void => {
    timer ??= setTimeout(() => {
      work = work.then(pass);
    }, settleMs);
  };
  const recheck = setInterval(schedule, recheckMs);
  const stop = (): void => {
    for (const source of sources) source.stop();
    clearInterval(recheck);
    clearTimeout(timer);
    void work.then(() => process.exit(0));
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  await Promise.all(sources.map((source) => source.run(schedule)));
}
