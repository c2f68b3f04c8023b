import assert from "node:assert/strict";
import { nodeLayouts } from "../../../rehearsal/cluster/layout";
import { cniConfig, kubeletConfig } from "../../../rehearsal/cluster/nodeFiles";

describe("files of a node", () => {
  it("give each kubelet a cgroup, socket and log folder of its own, else they end each other's pods", async () => {
    const configs = nodeLayouts().map((node) => kubeletConfig(node) as Record<string, unknown>);
    for (const key of ["cgroupRoot", "containerRuntimeEndpoint", "podLogsDir", "address"]) {
      assert.equal(new Set(configs.map((config) => config[key])).size, 3, key);
    }
  });

  it("let nobody reach a kubelet without a certificate or token", async () => {
    const [node] = nodeLayouts();
    assert.ok(node);
    const config = kubeletConfig(node) as { authentication: { anonymous: object }; authorization: object };
    assert.deepEqual(config.authentication.anonymous, { enabled: false });
    assert.deepEqual(config.authorization, { mode: "Webhook" });
  });

  it("never collect an image, which could not be pulled again", async () => {
    for (const node of nodeLayouts()) {
      assert.equal((kubeletConfig(node) as Record<string, unknown>)["imageGCHighThresholdPercent"], 100);
    }
  });

  it("hand out pod addresses of the node's own range", async () => {
    const subnets = nodeLayouts().map(
      (node) => JSON.stringify(cniConfig(node)).match(/"subnet":"([^"]+)"/)?.[1],
    );
    assert.deepEqual(subnets, ["10.98.1.0/24", "10.98.2.0/24", "10.98.3.0/24"]);
  });
});
