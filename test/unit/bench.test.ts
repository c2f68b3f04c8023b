import assert from "node:assert/strict";
import { benchTable, outageGoal } from "../../rehearsal/bench/benchTable";

describe("npm run bench", () => {
  it("sets what was measured beside the bare sequence and the numbers of design.md", () => {
    const row = {
      keys: 10_000,
      entries: 24_000,
      hand: { outageMs: 31_240, copySeconds: 12 },
      program: { outageMs: 24_960, copySeconds: 0 },
    };
    assert.equal(
      benchTable([row]).split("\n").at(-1),
      "| 10000 | 24000 | 31.2 | 2000 | 25.0 | over 24000 | 30 | 3000 |",
    );
  });

  it("knows the outage that design.md allows at each size", () => {
    assert.deepEqual([1_000, 10_000, 10_001, 100_000].map(outageGoal), [20, 30, 90, 90]);
  });
});
