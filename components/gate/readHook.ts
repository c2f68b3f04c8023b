import { at, listAt, textsAt } from "./fields";

/** How long the server's postStart hook can wait, read from its text. */
export interface HookView {
  /** Longest wait in seconds; absent when the text does not say. */
  readonly seconds?: number;
  /** How it was counted, in words. */
  readonly how: string;
}

/** Undefined when there is no hook, or none that waits. */
export function hookView(container: unknown): HookView | undefined {
  const hook = at(container, "lifecycle", "postStart");
  const own = at(hook, "sleep", "seconds");
  if (typeof own === "number") return { seconds: own, how: `sleeps ${own} s` };
  const text = textsAt(hook, "exec", "command").join("\n");
  return listAt(hook, "exec", "command").length === 0 ? undefined : waitOf(text);
}

/** One loop of a counted number of rounds, or sleeps in a row; anything else is not counted. */
function waitOf(text: string): HookView | undefined {
  const pauses = [...text.matchAll(/\bsleep\s+"?(\d+(?:\.\d+)?)(s|m)?\b/g)].map(
    (match) => Number(match[1]) * (match[2] === "m" ? 60 : 1),
  );
  const pause = pauses.reduce((sum, one) => sum + one, 0);
  if (pause === 0)
    return /\bsleep\b/.test(text) ? { how: "sleeps for a time that is not written out" } : undefined;
  const loops = text.match(/\b(?:while|until|for)\b/g)?.length ?? 0;
  if (loops === 0) return { seconds: pause, how: `sleeps ${pause} s` };
  const rounds = roundsOf(text);
  return loops === 1 && rounds !== undefined
    ? { seconds: rounds * pause, how: `${rounds} rounds of ${pause} s` }
    : { how: `sleeps ${pause} s a round, in a loop without a bound that could be read` };
}

/** "-lt 24", "-le 24", "$(seq 24)", "{1..24}" or "seq 1 24". */
function roundsOf(text: string): number | undefined {
  const counted = /-l[te]\s+"?(\d+)|\bseq\s+(?:1\s+)?(\d+)|\{1\.\.(\d+)\}/.exec(text);
  const found = counted?.[1] ?? counted?.[2] ?? counted?.[3];
  return found === undefined ? undefined : Number(found);
}
