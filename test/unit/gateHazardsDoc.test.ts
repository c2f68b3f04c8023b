import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checks } from "../../components/gate/checks";
import { HAZARDS_DOC, hazardsDoc } from "../../components/gate/hazardsDoc";

describe("docs/hazards.md", () => {
  it("is what the check records say", async () => {
    const text = readFileSync(HAZARDS_DOC, "utf8");
    assert.equal(text, await hazardsDoc(), "run: node --import tsx components/gate/hazardsDoc.ts");
  });

  it("has an entry for each check", () => {
    const text = readFileSync(HAZARDS_DOC, "utf8");
    for (const check of checks) assert.ok(text.includes(`### ${check.id}\n`), check.id);
  });
});
