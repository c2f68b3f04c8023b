import assert from "node:assert/strict";
import { vpa, VPAS } from "../support/evictionHazards";
import { gateRow } from "../support/gateRow";
import { raftWorld, standaloneWorld, STATEFUL_SET, type World } from "../support/snapshotBuilder";

const rowOf = (world: World, stage: string, id = "autoscalers") => gateRow(world, id, { stage });

describe("no evictor in the cutover (I41)", () => {
  const evicting = (world = standaloneWorld()) => {
    world.kube.put(`${VPAS}/bao`, vpa("Recreate"));
    return world;
  };

  it("tells of a VerticalPodAutoscaler before, and stops from cutover on", async () => {
    for (const stage of ["network", "backup"]) {
      const early = await rowOf(evicting(), stage);
      assert.equal(early.outcome, "PASS");
      assert.match(early.found, /^stage cutover will refuse VerticalPodAutoscaler bao/);
    }
    for (const stage of ["cutover", "replicas", "verify"])
      assert.equal((await rowOf(evicting(), stage)).outcome, "FAIL", stage);
  });

  it("stops while followers are to join, though the cutover is done", async () => {
    const world = evicting(raftWorld());
    for (const server of Object.values(world.servers)) server.peers = server.peers!.slice(0, 1);
    assert.equal((await rowOf(world, "replicas")).outcome, "FAIL");
  });

  it("lets those pass that touch no running pod, and those of others", async () => {
    const world = standaloneWorld();
    world.kube
      .put(`${VPAS}/off`, vpa("Off"))
      .put(`${VPAS}/initial`, vpa("Initial"))
      .put(`${VPAS}/agent`, vpa("Auto", { kind: "Deployment", name: "openbao" }))
      .put(`${VPAS}/other`, vpa("Auto", { kind: "StatefulSet", name: "postgres" }));
    assert.deepEqual(await rowOf(world, "cutover"), {
      outcome: "PASS",
      found: "only recommending ones",
      blocked: false,
    });
  });

  it("passes where the kinds are not served, and not where they may not be listed", async () => {
    const world = standaloneWorld();
    world.kube.fail("get", /verticalpodautoscalers$/, 404, "NotFound");
    assert.equal((await rowOf(world, "cutover")).outcome, "PASS");
    world.kube.fail("get", /verticalpodautoscalers$/, 403, "Forbidden");
    assert.equal((await rowOf(world, "cutover")).outcome, "UNKNOWN");
  });

  it("lets pods be that ask Karpenter for peace, and autoscalers to leave them", async () => {
    const world = standaloneWorld();
    world.patch("/api/v1/nodes/node-0", { metadata: { labels: { "karpenter.sh/nodepool": "default" } } });
    const annotations = {
      "karpenter.sh/do-not-disrupt": "true",
      "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    };
    world.patch(STATEFUL_SET, { spec: { template: { metadata: { annotations } } } });
    assert.equal((await rowOf(world, "cutover", "evictable-pods")).outcome, "PASS");
  });
});
