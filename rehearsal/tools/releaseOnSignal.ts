import { onFirstSignal } from "../signalWishes";
import { runsGently, stopRunning } from "./childProcess";
import { allowDaemons } from "./daemonPolicy";

/** A package's configuration may take a minute on a busy machine. */
const GRACE_MS = 180_000;

let released: Promise<void> = Promise.resolve();

/** Resolves when a signal has ended what makes the tools; at once when none did. */
export function toolsReleased(): Promise<void> {
  return released;
}

/**
 * Without this, Ctrl-C would leave a go build behind that nobody waits for, and a policy against all daemons. dpkg is
 * waited for: a second signal leaves it alone, with the policy in place, which the next run takes away.
 */
export function releaseOnSignal(release: () => void, graceMs = GRACE_MS): () => void {
  return onFirstSignal((signal, hurry) => {
    if (runsGently()) tell(`${signal}: waiting for apt and dpkg to end (once more: leave them) ...`);
    released = end(signal, hurry);
  });

  async function end(signal: NodeJS.Signals, hurry: () => boolean): Promise<void> {
    const left = await stopRunning(graceMs, hurry);
    if (left.length === 0) allowDaemons();
    else
      tell(
        `apt-get (process ${left.join(", ")}) still runs. Let it end before the next run; if it was cut off, ` +
          "put the packages right with: dpkg --configure -a",
      );
    release();
    process.exit(signal === "SIGINT" ? 130 : 143);
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
