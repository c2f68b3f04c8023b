import assert from "node:assert/strict";
import type { KubeClient } from "../../components/cluster/kubeClient";
import { CLEANUP_CONFIG, cleaned } from "../../rehearsal/cleanupClaims";
import { moveThroughStages } from "../../rehearsal/move";
import { parseOptions } from "../../rehearsal/options";
import type { PulumiRun, PulumiStack } from "../../rehearsal/pulumiStack";

const GOOD: PulumiRun = { code: 0, seconds: 1, output: "    + 1 created\n" };

function holding(names: readonly string[], facts: Readonly<Record<string, unknown>>): boolean[] {
  return cleaned(names, facts).map(({ holds }) => holds);
}

describe("the rehearsal of stage cleanup (hazard F38)", () => {
  it("asks for it after stage land, by the volume's name", async () => {
    const asked: unknown[] = [];
    const stack = {
      select: (stage: string, more = {}) => Promise.resolve(void asked.push([stage, more])),
      preview: () => Promise.resolve(GOOD),
      up: () => Promise.resolve(GOOD),
    } as unknown as PulumiStack;
    const how = { kill: false, carry: "migrate", cleanup: true } as const;
    const runs = await moveThroughStages(stack, {} as KubeClient, how, () => undefined);
    assert.deepEqual(asked.slice(-2), [
      ["land", {}],
      ["land", { cleanup: CLEANUP_CONFIG }],
    ]);
    assert.equal(runs.at(-1)?.name, "cleanup");
  });

  it("holds only where the file storage is gone and Raft's files are there", () => {
    const done = { removed: 3, kept: 0 };
    assert.deepEqual(holding(["raft", "vault.db", ".openbao-raft-migration"], done), [true, true]);
    assert.deepEqual(holding(["raft", "vault.db", "core"], done), [false, true]);
    assert.deepEqual(holding(["vault.db"], done), [false, true]);
  });

  it("does not take a step that removed nothing, or left some of it, for done", () => {
    const names = ["raft", "vault.db"];
    assert.deepEqual(holding(names, {}), [true, false]);
    assert.deepEqual(holding(names, { removed: 0, kept: 0 }), [true, false]);
    assert.deepEqual(holding(names, { removed: 3, kept: 1 }), [true, false]);
  });

  it("is refused where there is no file storage to remove, or no folder to look into", () => {
    assert.equal(parseOptions(["--cleanup"]).cleanup, true);
    assert.throws(() => parseOptions(["--cleanup", "--carry", "none"]), /--cleanup with --carry none/);
    assert.throws(() => parseOptions(["--cleanup", "--context", "kind"]), /--cleanup .* and --context/);
  });
});
