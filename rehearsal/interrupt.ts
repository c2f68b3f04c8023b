import { endRuns } from "./pulumiRuns";
import { onFirstSignal } from "./signalWishes";
import { toolsReleased } from "./tools/releaseOnSignal";
import { stopHelmController } from "./standins/helmController/start";

/** How long pulumi may take to end its step after a signal; a step ends at its next beat. */
const GRACE_MS = 60_000;

export interface Interrupted {
  /** Ends the helpers of the rehearsal that run beside the cluster. */
  readonly stopStandIns: () => Promise<void>;
  /** What stays, and how to remove it. */
  readonly left: string;
  readonly log: (line: string) => void;
  /** @default 60000 */
  readonly graceMs?: number;
}

/**
 * On SIGINT or SIGTERM: ends pulumi and the stand-ins, says what stays, and exits with 130. Without it they would go on
 * alone, and the next run would remove the namespaces below a move that is still running. A second signal kills at once.
 */
export function endOnSignal({ stopStandIns, left, log, graceMs = GRACE_MS }: Interrupted): void {
  onFirstSignal((signal, hurry) => {
    log(`${signal}: ending pulumi and the stand-ins (once more: kill them) ...`);
    void end(hurry);
  });

  async function end(hurry: () => boolean): Promise<void> {
    await endRuns(graceMs, hurry);
    await stopStandIns().catch((error: unknown) => log(`a stand-in was not ended: ${String(error)}`));
    // dpkg may still be at work: cut off, it would leave half-configured packages.
    await toolsReleased();
    log(`interrupted. ${left}`);
    process.exit(130);
  }
}

/** The same for a program that works on the throw-away cluster alone. @param heal takes back what it broke there */
export function endThrowAwayOnSignal(
  log: (line: string) => void,
  heal: () => Promise<void> = () => Promise.resolve(),
): void {
  const stopStandIns = async () => {
    await heal();
    await stopHelmController();
  };
  endOnSignal({ log, left: whatIsLeft(undefined), stopStandIns });
}

/** What a rehearsal that was interrupted leaves, in words. */
export function whatIsLeft(context: string | undefined): string {
  return context === undefined
    ? "The throw-away cluster is left up; the next run uses it, and `npm run cluster -- down` removes it."
    : `Your cluster keeps the namespaces openbao and openbao-client; remove them with: kubectl --context '${context}' delete namespace openbao openbao-client`;
}
