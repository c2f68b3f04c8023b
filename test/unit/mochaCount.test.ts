import assert from "node:assert/strict";
import { countOf, failuresOf } from "../mochaCount";

const FAILED =
  "  ✔ one\n  1) two\n\n\n  1 passing (2s)\n  1 failing\n\n  1) a suite\n       two:\n     Error: why\n";

describe("the count of npm test", () => {
  it("is mocha's own", () => {
    assert.deepEqual(countOf(FAILED, 1), { passed: 1, failed: 1 });
    assert.deepEqual(countOf("  12 passing (2s)\n", 0), { passed: 12, failed: 0 });
  });

  it("has a failure for a run that ended badly, with a summary and without one", () => {
    assert.deepEqual(countOf("  12 passing (2s)\n", 1), { passed: 12, failed: 1 });
    assert.deepEqual(countOf("killed", 137), { passed: 0, failed: 1 });
    assert.deepEqual(countOf("all good", 0), { passed: 1, failed: 0 });
  });

  it("shows the failures again, by mocha's text or by the last lines", () => {
    assert.match(failuresOf(FAILED), /^\s*1 failing\n\n {2}1\) a suite\n {7}two:\n {5}Error: why/);
    assert.doesNotMatch(failuresOf(FAILED), /✔ one/);
    assert.equal(
      failuresOf(Array.from({ length: 30 }, (_, at) => `line ${at}`).join("\n")).split("\n")[0],
      "line 10",
    );
  });
});
