import type { OpenBao } from "../../components/cluster/openBaoClient";
import { baoSession } from "../source/baoSession";
import { inParallel } from "../source/inParallel";
import { acknowledged, type LoadLog } from "./loadLog";

const LANES = 8;

/** What became of the writes that OpenBao had acknowledged to the client. */
export interface AcknowledgedCheck {
  readonly checked: number;
  /** Sequence numbers that are not there any more. */
  readonly lost: readonly number[];
  /** Sequence numbers under which something else is found. */
  readonly wrong: readonly number[];
}

/**
 * Reads each acknowledged write of `log` from the one node `bao` and compares its sequence number (oracle O5).
 * @param token may read below the log's prefix.
 * @throws Error when a read gets any answer but 200 and 404: that proves nothing either way.
 */
export async function verifyAcknowledged(
  bao: OpenBao,
  token: string,
  log: LoadLog,
): Promise<AcknowledgedCheck> {
  const session = baoSession(bao, token);
  const sequences = acknowledged(log);
  if (log.prefix === "" && sequences.length > 0) {
    throw new Error("the load's log has no start line, so the path of its writes is not known");
  }
  const lost: number[] = [];
  const wrong: number[] = [];
  await inParallel(sequences, LANES, async (sequence) => {
    const answer = await session.reply("GET", `${log.prefix}/${sequence}`, undefined, [404]);
    const held = (answer.body as { data?: { data?: { seq?: unknown } } } | undefined)?.data?.data?.seq;
    if (answer.status === 404) lost.push(sequence);
    else if (held !== sequence) wrong.push(sequence);
  });
  const ascending = (a: number, b: number) => a - b;
  return { checked: sequences.length, lost: lost.sort(ascending), wrong: wrong.sort(ascending) };
}
