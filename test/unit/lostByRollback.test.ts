import assert from "node:assert/strict";
import type { JournalEntry } from "../../components/cluster/journal";
import { onRaftBetween, splitLost } from "../../rehearsal/load/lostByRollback";
import type { LoadLog } from "../../rehearsal/load/loadLog";

const entry = (second: number, step: string, beat: JournalEntry["beat"]): JournalEntry => ({
  time: new Date(second * 1000).toISOString(),
  holder: "me",
  step,
  beat,
  observed: {},
});
const JOURNAL = [
  entry(10, "stop", "done"),
  entry(20, "rollback-stop", "done"),
  entry(25, "rollback-resume", "done"),
  entry(40, "stop", "done"),
];
/** One acknowledged write a second; its sequence number is the second. */
const LOG: LoadLog = {
  prefix: "p",
  attempts: [5, 15, 19, 30, 50].map((second) => ({
    op: "write",
    sequence: second,
    try: 1,
    startMs: second * 1000,
    endMs: second * 1000,
    ok: true,
    code: 200,
  })),
};

describe("writes lost by a rollback", () => {
  it("are those between the two stops of the move that was taken back, not of the one after", () =>
    assert.deepEqual(onRaftBetween(JOURNAL), { fromMs: 10_000, toMs: 20_000 }));

  it("are none while no rollback has ended", () => {
    assert.equal(onRaftBetween(JOURNAL.slice(0, 2)), undefined);
    assert.deepEqual(splitLost(LOG, [15], undefined).unexpected, [15]);
  });

  it("are told from a loss outside of that time (hazard F68)", () =>
    assert.deepEqual(splitLost(LOG, [5, 15, 30], onRaftBetween(JOURNAL)), {
      inWindow: 2,
      expected: [15],
      unexpected: [5, 30],
    }));
});
