import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { FAULT_ROWS } from "../faults/coverage";
import { FAULTS_DOC, faultsDoc, testFiles, testsOf } from "../faults/coverageDoc";
import { parseFault } from "../faults/fault";

describe("the fault matrix (docs/faults.md)", () => {
  const files = testFiles();

  it("has each of the 70 rows once, in its order", () => {
    assert.deepEqual(
      FAULT_ROWS.map(({ row }) => row),
      Array.from({ length: 70 }, (_, at) => at + 1),
    );
  });

  it("has for each row a test, a campaign case, another proof, or the reason why there is none", () => {
    const open = FAULT_ROWS.filter(
      (one) => testsOf(one, files).length === 0 && !one.campaign && !one.also && !one.not,
    );
    assert.deepEqual(open, []);
  });

  it("names campaign cases that npm run faults takes", () => {
    for (const { campaign = [] } of FAULT_ROWS)
      for (const text of campaign) assert.doesNotThrow(() => parseFault(text));
  });

  it("is what the records say", async () => {
    assert.equal(
      readFileSync(FAULTS_DOC, "utf8"),
      await faultsDoc(),
      "run: node --import tsx test/faults/coverageDoc.ts",
    );
  });
});
