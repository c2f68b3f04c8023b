import assert from "node:assert/strict";
import { checks } from "../../components/gate/checks";
import { NOT_VISIBLE } from "../../components/gate/notVisible";
import { planSteps } from "../../components/steps/plan";

/** The catalogue: incidents, faults of the matrix, hazards of the recipe. */
const LAST = { I: 50, F: 70, H: 7 } as const;
const catalogue = Object.entries(LAST).flatMap(([kind, last]) =>
  Array.from({ length: last }, (_, n) => `${kind}${n + 1}`),
);

const PATHS = ["migrate", "restore", "restore-file", "reseed", "none"] as const;

const guards: readonly { readonly name: string; readonly ids: readonly string[] }[] = [
  ...checks.map((check) => ({ name: `check ${check.id}`, ids: check.hazard.ids })),
  ...PATHS.flatMap((path) => planSteps("openbao", 3, path)).map((step) => ({
    name: `step ${step.id}`,
    ids: step.hazards,
  })),
  ...NOT_VISIBLE.map((one) => ({ name: `not visible: ${one.why}`, ids: one.ids })),
];

describe("the catalogue of hazards", () => {
  for (const id of catalogue) {
    it(`${id} has a check, a step that guards against it, or a reason why it cannot be seen`, () => {
      assert.notDeepEqual(
        guards.filter((guard) => guard.ids.includes(id)),
        [],
      );
    });
  }

  it("has a check, or a reason why no look can see it, for each: a step alone says nothing beforehand", () => {
    const seen = new Set([
      ...checks.flatMap((check) => check.hazard.ids),
      ...NOT_VISIBLE.flatMap(({ ids }) => ids),
    ]);
    assert.deepEqual(
      catalogue.filter((id) => !seen.has(id)),
      [],
    );
  });

  it("is all that checks, steps and reasons name: no id is mistyped", () => {
    for (const { name, ids } of guards) {
      assert.deepEqual(
        ids.filter((id) => !catalogue.includes(id)),
        [],
        name,
      );
    }
  });

  it("has a reason and another guard for each hazard that cannot be seen", () => {
    for (const { ids, why, instead } of NOT_VISIBLE) {
      assert.ok(ids.length > 0 && why.length > 20 && instead.length > 20, ids.join(" "));
    }
  });
});
