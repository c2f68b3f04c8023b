import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EarlyAddresses, parseCniResult } from "../../rehearsal/standins/networkPolicy/earlyAddresses";

function result(uid: string, address: string): string {
  return JSON.stringify({
    kind: "cniCacheV1",
    ifName: "eth0",
    cniArgs: [
      ["IgnoreUnknown", "1"],
      ["K8S_POD_UID", uid],
    ],
    result: { cniVersion: "0.4.0", ips: [{ version: "6", address: "fd00::2/64" }, { address }] },
  });
}

describe("networkPolicy stand-in: addresses before the kubelet reports them", () => {
  it("reads the pod's uid and its IPv4 address out of a cached result", () => {
    assert.deepEqual(parseCniResult(result("u1", "10.98.1.2/24")), { uid: "u1", address: "10.98.1.2" });
  });

  it("takes nothing from a half-written file, the loopback's result, or one of no pod", () => {
    assert.equal(parseCniResult(result("u1", "10.98.1.2/24").slice(0, -9)), undefined);
    assert.equal(
      parseCniResult(JSON.stringify({ cniArgs: [["K8S_POD_UID", "u1"]], result: { ips: [] } })),
      undefined,
    );
    assert.equal(
      parseCniResult(JSON.stringify({ result: { ips: [{ address: "10.98.1.2/24" }] } })),
      undefined,
    );
  });

  it("knows what is there at the start, what comes later, and forgets what is removed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cni-results-"));
    await writeFile(join(folder, "a"), result("u1", "10.98.1.2/24"));
    const early = new EarlyAddresses(folder);
    let changed: () => void = () => undefined;
    const reached = async (expected: [string, string][]): Promise<void> => {
      while (JSON.stringify([...early.byUid()]) !== JSON.stringify(expected)) {
        await new Promise<void>((resolve) => (changed = resolve));
      }
    };
    const running = early.run(() => changed());
    try {
      await reached([["u1", "10.98.1.2"]]);
      await writeFile(join(folder, "b"), result("u2", "10.98.1.3/24"));
      await reached([
        ["u1", "10.98.1.2"],
        ["u2", "10.98.1.3"],
      ]);
      await rm(join(folder, "a"));
      await reached([["u2", "10.98.1.3"]]);
    } finally {
      early.stop();
      await running;
      await rm(folder, { recursive: true });
    }
  });
});
