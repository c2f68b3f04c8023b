import { KubeError } from "../cluster/kubeClient";
import { OpenBaoUnreachable } from "../cluster/openBaoClient";

/** A part of the world that was read, or the reason why it could not be. */
export type Observed<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

export function known<T>(value: T): Observed<T> {
  return { known: true, value };
}

export function notKnown(why: string): Observed<never> {
  return { known: false, why: clean(why, 300) };
}

/** Runs one look with a bound in milliseconds; never throws, and its `why` never repeats what an answer held. */
export async function observe<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T>,
): Promise<Observed<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Observed<T>>((resolve) => {
    timer = setTimeout(() => resolve(notKnown(`${what}: no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  const seen = (async () => known(await look()))().catch((error: unknown) => notKnown(whyOf(what, error)));
  try {
    return await Promise.race([seen, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A view of what was read; an answer that it cannot take makes the part unknown. */
export async function viewed<T, U>(
  part: Observed<T> | Promise<Observed<T>>,
  what: string,
  view: (value: T) => U | Promise<U>,
): Promise<Observed<U>> {
  try {
    const seen = await part;
    return seen.known ? known(await view(seen.value)) : seen;
  } catch (error) {
    return notKnown(whyOf(what, error));
  }
}

/** The value, or `fallback` when it could not be read. */
export function valueOr<T, F>(observed: Observed<T>, fallback: F): T | F {
  return observed.known ? observed.value : fallback;
}

/**
 * Text fit for a report: one line, bounded, without control, bidirectional or unpaired surrogate characters.
 * @param max characters
 */
export function clean(text: string, max = 200): string {
  const cut = text.length > max ? `${text.slice(0, max)}... (${text.length} characters)` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

function whyOf(what: string, error: unknown): string {
  // A JSON parser's message quotes the text it failed on, which may be a Secret: only our own errors are repeated.
  if (error instanceof KubeError || error instanceof OpenBaoUnreachable) return error.message;
  return `${what}: the answer could not be read (${error instanceof Error ? error.name : typeof error})`;
}
