import assert from "node:assert/strict";
import { inputFaults } from "../../../rehearsal/standins/commandPlugin/commandInputs";
import { UNKNOWN } from "../../../rehearsal/standins/commandPlugin/wireValues";

describe("the command stand-in's inputs", () => {
  it("pass when they are of the right kind, unknown or absent", () => {
    const inputs = {
      create: "true",
      environment: { A: UNKNOWN },
      interpreter: ["node"],
      logging: "none",
      triggers: UNKNOWN,
      update: null,
    };
    assert.deepEqual(inputFaults(inputs), []);
  });

  it("are all reported at once when they are wrong", () => {
    const faults = inputFaults({
      create: 1,
      environment: { A: 1 },
      logging: "nothing",
      interpreter: "sh",
      colour: "red",
    });
    assert.deepEqual(
      faults.map((fault) => fault.property),
      ["create", "environment", "logging", "interpreter", "colour"],
    );
  });

  it("never show a wrong value, which may be a secret", () => {
    assert.doesNotMatch(
      JSON.stringify(inputFaults({ logging: "hunter2", environment: ["hunter2"] })),
      /hunter2/,
    );
  });

  it("send assets to the real plugin", () => {
    assert.match(inputFaults({ assetPaths: ["*"] })[0]?.reason ?? "", /real @pulumi\/command plugin/);
  });
});
