import assert from "node:assert/strict";
import {
  commandDigest,
  isAlive,
  parseStartTime,
  processStartTime,
} from "../../../rehearsal/cluster/processes";

const stat = (name: string, status: string) =>
  `42 (${name}) ${status} ${Array.from({ length: 18 }, (_, i) => i + 4).join(" ")} 12345 0 0`;

describe("cluster processes", () => {
  it("reads the start time behind a command with spaces and parentheses", async () => {
    assert.equal(parseStartTime(stat("a) b (c", "S")), "12345");
  });

  it("takes a zombie for gone", async () => {
    assert.equal(parseStartTime(stat("kubelet", "Z")), undefined);
  });

  it("does not take another process with a re-used pid for ours", async () => {
    const startTime = processStartTime(process.pid);
    assert.ok(startTime);
    assert.equal(isAlive({ pid: process.pid, startTime, command: "" }), true);
    assert.equal(isAlive({ pid: process.pid, startTime: "1", command: "" }), false);
    assert.equal(isAlive(undefined), false);
  });

  it("asks for a restart when arguments, namespace, environment or a read file change", async () => {
    const base = { name: "a", argv: ["x"], inputs: ["config"] };
    const changed = [{ argv: ["y"] }, { netns: "n" }, { environment: { A: "1" } }, { inputs: ["other"] }];
    const digests = changed.map((change) => commandDigest({ ...base, ...change }));
    assert.equal(new Set([commandDigest(base), ...digests]).size, changed.length + 1);
    assert.equal(commandDigest({ ...base }), commandDigest(base));
  });
});
