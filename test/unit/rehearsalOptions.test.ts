import assert from "node:assert/strict";
import { parseOptions, USAGE } from "../../rehearsal/options";

describe("the rehearsal's options", () => {
  it("have defaults for a plain run", () => {
    const { keys, seed, carry, delivery, kill, rollback, context } = parseOptions([]);
    assert.deepEqual(
      [keys, seed, carry, delivery, kill, rollback, context],
      [1000, "1", "migrate", "flux", false, undefined, undefined],
    );
  });

  it("are refused all at once, each by its name and what is expected, with the list of all", () => {
    const wrong = ["--keys", "9", "--seed", "a b", "--carry", "x", "--rollback", "land", "--sops"];
    assert.throws(
      () => parseOptions(wrong),
      ({ message }: Error) =>
        ["--keys", "--seed", "--carry", "--rollback", "--sops"].every((flag) =>
          message.split("\n").some((line) => line.startsWith(`${flag} `) && line.includes(": ")),
        ) && message.endsWith(USAGE),
    );
  });

  it("are shown when one is not known, or lacks its value", () => {
    for (const args of [["--help"], ["--key", "10"], ["--keys"]])
      assert.throws(
        () => parseOptions(args),
        ({ message }: Error) => message.endsWith(USAGE),
      );
  });
});
