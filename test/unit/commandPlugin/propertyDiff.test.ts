import assert from "node:assert/strict";
import { inputChanges } from "../../../rehearsal/standins/commandPlugin/propertyDiff";
import type { WireValue } from "../../../rehearsal/standins/commandPlugin/wireValues";

const secret = (value: WireValue): WireValue => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

describe("the command stand-in's diff", () => {
  it("is empty for equal inputs, whatever the engine adds of its own", () => {
    const inputs = { create: "x", environment: { A: "1" } };
    assert.deepEqual(inputChanges(inputs, { ...inputs, __defaults: [], version: "1.2.1", stdin: null }), []);
  });

  it("names a changed environment variable and updates", () => {
    assert.deepEqual(inputChanges({ environment: { A: "1" } }, { environment: { A: "2", "B-C": "3" } }), [
      { path: "environment.A", kind: "update", replaces: false },
      { path: 'environment["B-C"]', kind: "add", replaces: false },
    ]);
  });

  it("replaces when a trigger changes, appears or goes", () => {
    const kinds = (olds: WireValue, news: WireValue): unknown[] =>
      inputChanges({ triggers: olds }, { triggers: news }).map(({ path, kind, replaces }) => [
        path,
        kind,
        replaces,
      ]);
    assert.deepEqual(kinds(["a"], ["b"]), [["triggers[0]", "update", true]]);
    assert.deepEqual(kinds(["a"], ["a", "b"]), [["triggers[1]", "add", true]]);
    assert.deepEqual(kinds(["a"], []), [["triggers[0]", "delete", true]]);
  });

  it("sees a change inside a secret and none in an equal one", () => {
    assert.deepEqual(inputChanges({ stdin: secret("a") }, { stdin: secret("a") }), []);
    assert.deepEqual(inputChanges({ stdin: secret("a") }, { stdin: secret("b") }), [
      { path: "stdin", kind: "update", replaces: false },
    ]);
  });

  it("counts it as a change when a value becomes secret", () => {
    assert.equal(inputChanges({ stdin: "a" }, { stdin: secret("a") }).length, 1);
  });
});
