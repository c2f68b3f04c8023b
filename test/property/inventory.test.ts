import assert from "node:assert/strict";
import fc from "fast-check";
import { compareInventory } from "../../components/inventory/compareInventory";
import { canonicalJson } from "../../components/inventory/digester";
import { takeInventory, type Inventory } from "../../components/inventory/inventory";
import { propertyRuns } from "../support/propertyRuns";
import { codePoint } from "../support/hostileValues";
import { ModelOpenBao, modelContent, type ModelContent } from "../support/modelOpenBao";

const hmacKey = Buffer.alloc(32, 3);

function take(content: ModelContent): Promise<Inventory> {
  return takeInventory(new ModelOpenBao(content), "token", { hmacKey });
}

const segment = fc
  .string({ unit: codePoint, minLength: 1, maxLength: 12 })
  .filter((text) => !/^\.{0,2}$|\//.test(text));
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const kv1 = fc.dictionary(path, fc.dictionary(fc.string(), fc.jsonValue()), { minKeys: 1, maxKeys: 8 });

describe("inventory, for any content", () => {
  it("equals itself, whatever the names and values are", () =>
    fc.assert(
      fc.asyncProperty(kv1, async (entries) => {
        const content = { ...modelContent(), kv1: entries };
        const result = compareInventory(await take(content), await take(structuredClone(content)), {
          volatile: [],
        });
        assert.equal(result.sameDigest, true);
        assert.equal(result.verdict, "equal");
      }),
      propertyRuns(60),
    ));

  it("finds any one entry that is lost or changed", () =>
    fc.assert(
      fc.asyncProperty(kv1, fc.nat(), fc.boolean(), async (entries, pick, lose) => {
        const before = await take({ ...modelContent(), kv1: entries });
        const names = Object.keys(entries);
        const name = names[pick % names.length]!;
        const damaged = structuredClone(entries);
        if (lose) delete damaged[name];
        else damaged[name] = { ...damaged[name], "one more": 1 };
        fc.pre(canonicalJson(damaged) !== canonicalJson(entries));
        const result = compareInventory(before, await take({ ...modelContent(), kv1: damaged }), {
          volatile: [],
        });
        assert.deepEqual([result.lost.length, result.changed.length], lose ? [1, 0] : [0, 1]);
        assert.equal(result.sameDigest, false);
      }),
      propertyRuns(60),
    ));

  it("writes one canonical text for one value, whatever the order of its keys", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const turned = Object.fromEntries(Object.entries(record).reverse());
        assert.equal(canonicalJson(turned), canonicalJson(record));
        assert.equal(canonicalJson(JSON.parse(canonicalJson(record))), canonicalJson(record));
      }),
    ));

  it("survives nesting that would end a recursive program", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert.equal(canonicalJson(deep).length, 200_001);
  });
});
