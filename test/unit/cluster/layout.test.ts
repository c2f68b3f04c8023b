import assert from "node:assert/strict";
import { BRIDGE, HOST_LINK, nodeLayout, nodeLayouts } from "../../../rehearsal/cluster/layout";

describe("cluster layout", () => {
  it("gives each node an address, a pod range and a namespace that no other node has", async () => {
    const nodes = nodeLayouts();
    assert.equal(nodes.length, 3);
    for (const pick of ["address", "podCidr", "netns", "cgroup", "dir"] as const) {
      assert.equal(new Set(nodes.map((node) => node[pick])).size, 3, pick);
    }
  });

  it("keeps pod ranges inside the pod network and gateways inside their range", async () => {
    for (const node of nodeLayouts()) {
      assert.match(node.podCidr, /^10\.98\.[123]\.0\/24$/);
      assert.equal(node.podGateway, node.podCidr.replace(".0/24", ".1"));
    }
  });

  it("uses link names that the kernel accepts", async () => {
    for (const name of [BRIDGE, HOST_LINK, ...nodeLayouts().map((node) => node.name)])
      assert.ok(name.length <= 15, name);
  });

  it("refuses a node that does not exist", async () => {
    for (const index of [0, 4, 1.5]) assert.throws(() => nodeLayout(index), /must be 1 to 3/);
  });
});
