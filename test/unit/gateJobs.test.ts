import assert from "node:assert/strict";
import { jobView } from "../../components/gate/readRelease";

const initialises = (...command: string[]) =>
  jobView({ spec: { template: { spec: { containers: [{ command }] } } } }, "us").initialises;

describe("gate: Jobs that initialise (I2)", () => {
  for (const command of [
    ["bao", "operator", "init"],
    ["sh", "-c", "bao operator init; bao operator init -status"],
    ["sh", "-c", "bao operator init -status || bao operator init -key-shares=1"],
    ["sh", "-c", "bao operator \\\n  init"],
    ["sh", "-c", "bao operator init -status=false"],
    ["sh", "-c", "curl -X PUT $BAO_ADDR/v1/sys/init"],
  ]) {
    it(`sees that ${JSON.stringify(command)} does`, () => assert.equal(initialises(...command), true));
  }

  for (const command of [
    ["bao", "operator", "init", "-status"],
    ["sh", "-c", "if bao operator init -status; then exit 0; fi"],
    ["sh", "-c", "bao operator init \\\n  -address=http://x \\\n  -status"],
    ["sh", "-c", "bao operator unseal"],
  ]) {
    it(`sees that ${JSON.stringify(command)} does not`, () => assert.equal(initialises(...command), false));
  }
});
