/** A terminal's Ctrl-C can arrive twice, by the group and by npm or tsx: that is no second wish. */
const SECOND_WISH_MS = 1000;

/**
 * Calls `begin` at the first SIGINT or SIGTERM; its `hurry` says true once a second one was sent on purpose.
 * @returns takes the handlers away
 */
export function onFirstSignal(begin: (signal: NodeJS.Signals, hurry: () => boolean) => void): () => void {
  let first: number | undefined;
  let hurry = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first !== undefined) {
      hurry ||= Date.now() - first > SECOND_WISH_MS;
      return;
    }
    first = Date.now();
    begin(signal, () => hurry);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
