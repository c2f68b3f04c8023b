import { AsyncLocalStorage } from "node:async_hooks";

const guard = new AsyncLocalStorage<AbortSignal>();

/** Runs `work` so that each of its bounded waits ends as soon as the signal is aborted, with the signal's reason. */
export function waitingUnder<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return guard.run(signal, work);
}

/** @throws the signal's reason, once it is aborted. */
export function assertMayWait(): void {
  guard.getStore()?.throwIfAborted();
}
