import assert from "node:assert/strict";
import { status, up, type ClusterStatus } from "../../rehearsal/cluster/cluster";
import { waitFor } from "../../rehearsal/cluster/waitFor";

/** One program of the control plane, one of a node, and what it starts pods with. */
const KILLED: readonly string[] = ["kube-scheduler", "node-2-containerd", "node-3-kubelet"];

/** `npm test` has brought the cluster up before. */
describe("npm run cluster -- up (issue 3)", () => {
  it("leaves a cluster alone that is up: each process stays the same", async () => {
    const before = await status();
    assert.equal(before.state, "up");
    await up(() => undefined);
    assert.deepEqual(pids(await status()), pids(before));
  });

  it("repairs one of which programs have died, and starts no other anew", async () => {
    const before = pids(await status());
    for (const name of KILLED)
      process.kill(before.get(name) ?? assert.fail(`${name} is not known`), "SIGKILL");
    await waitFor("the killed programs to be gone", 10, async () => (await status()).state === "partial");
    await up(() => undefined);
    const after = await status();
    assert.equal(after.state, "up");
    const others = (all: ReadonlyMap<string, number>) => [...all].filter(([name]) => !KILLED.includes(name));
    assert.deepEqual(others(pids(after)), others(before));
    for (const name of KILLED) assert.notEqual(pids(after).get(name), before.get(name), name);
  });
});

function pids({ processes }: ClusterStatus): ReadonlyMap<string, number> {
  return new Map(processes.map(({ name, pid }) => [name, pid]));
}
