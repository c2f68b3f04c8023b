import assert from "node:assert/strict";
import fc from "fast-check";
import {
  composeValues,
  mergeValues,
  pathParts,
  setAtPath,
  typedValue,
  valuesDigest,
  type ReadData,
} from "../../../rehearsal/standins/helmController/composeValues";

describe("helm-controller stand-in: values", () => {
  const objects: Record<string, Record<string, string>> = {
    "ConfigMap/base": { "values.yaml": "a: 1\nserver: {x: 1, list: [1, 2]}\n", other: "b: 2" },
    "Secret/key": { tag: "2.4.0", "values.yaml": "server: {x: 2, y: 3}" },
    "Secret/broken": { "values.yaml": "password: [hunter2" },
    "ConfigMap/list": { "values.yaml": "- 1" },
  };
  const read: ReadData = (kind, name) => Promise.resolve(objects[`${kind}/${name}`]);

  it("puts later references over earlier ones and inline values over all", async () => {
    const references = [
      { kind: "ConfigMap" as const, name: "base" },
      { kind: "Secret" as const, name: "key" },
    ];
    const composed = await composeValues({ server: { y: 4 } }, references, read);
    assert.deepEqual(composed, { a: 1, server: { x: 2, list: [1, 2], y: 4 } });
  });

  it("sets a single value at a target path, typed unless literal", async () => {
    const reference = {
      kind: "Secret" as const,
      name: "key",
      valuesKey: "tag",
      targetPath: "server.image.tag",
    };
    assert.deepEqual(await composeValues(undefined, [reference], read), {
      server: { image: { tag: "2.4.0" } },
    });
    assert.deepEqual([typedValue("3"), typedValue("true"), typedValue("null")], [3, true, null]);
    assert.deepEqual([typedValue("'3'"), typedValue("007"), typedValue("1.5")], ["3", "007", "1.5"]);
  });

  it("forgives a missing object when optional, but never a missing key", async () => {
    const missing = { kind: "ConfigMap" as const, name: "none" };
    assert.deepEqual(await composeValues({ a: 1 }, [{ ...missing, optional: true }], read), { a: 1 });
    await assert.rejects(composeValues({}, [missing], read), /no ConfigMap "none"/);
    const noKey = { kind: "ConfigMap" as const, name: "base", valuesKey: "nope", optional: true };
    await assert.rejects(composeValues({}, [noKey], read), /no key "nope"/);
  });

  it("names the place but not the text of values that are no map", async () => {
    await assert.rejects(
      composeValues({}, [{ kind: "ConfigMap", name: "list" }], read),
      /no map in ConfigMap "list"/,
    );
    await assert.rejects(composeValues({}, [{ kind: "Secret", name: "broken" }], read), (error: Error) => {
      assert.match(error.message, /Secret "broken"/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });

  it("reads escaped dots and indexes in a path", () => {
    assert.deepEqual(pathParts("a\\.b.c[0][1].d"), ["a.b", "c", 0, 1, "d"]);
    assert.deepEqual(setAtPath({ c: [7], e: 1 }, "c[1].d", "x"), { c: [7, { d: "x" }], e: 1 });
  });

  it("lets null and lists replace, as Helm does", () => {
    assert.deepEqual(mergeValues({ a: { b: 1 }, l: [1, 2] }, { a: null, l: [3] }), { a: null, l: [3] });
  });

  it("digests independently of key order, and differently for different values", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (values) => {
        const reversed = Object.fromEntries(Object.entries(values).reverse());
        assert.equal(valuesDigest(values), valuesDigest(reversed));
        assert.notEqual(valuesDigest(values), valuesDigest({ wrapped: values }));
      }),
    );
  });
});
