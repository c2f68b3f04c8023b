import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../components/projectRoot";
import { CONTROLS } from "../controls/controls";

/** The controls themselves take minutes (`npm run controls`); a guard that was moved shows here at once. */
describe("each positive control's guard", () => {
  for (const { bug, says, guard, find } of CONTROLS)
    it(`stands once in ${guard} (${bug}: ${says})`, () => {
      assert.equal(readFileSync(join(PROJECT_ROOT, guard), "utf8").split(find).length - 1, 1);
    });
});
