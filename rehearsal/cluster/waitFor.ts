import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks until the answer is neither undefined nor false.
 * @param what Named in the error, as in "the API server to be ready".
 * @param seconds Upper bound.
 * @throws when the bound passes; the message names the last error that the question met.
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined | false>,
  everyMilliseconds = 200,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error;
    }
    if (Date.now() >= end) {
      const seen = last instanceof Error ? ` Last seen: ${last.message}.` : "";
      throw new Error(`Waited ${seconds} s for ${what}.${seen}`, { cause: last });
    }
    await sleep(everyMilliseconds);
  }
}

/** Thrown by a question when waiting on is useless. */
export class GiveUp extends Error {}
