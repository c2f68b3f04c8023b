import assert from "node:assert/strict";
import { KUSTOMIZATIONS, SOURCE } from "../../../rehearsal/flux/objects";
import { removeFlux } from "../../../rehearsal/flux/removeFlux";
import { OWNED_LABEL } from "../../../rehearsal/source/sourceCluster";
import { FakeKube } from "../../support/fakeKube";

const NAMESPACE = "/api/v1/namespaces/flux-system";

function world(labels: Record<string, string>): FakeKube {
  const kube = new FakeKube();
  kube.put(NAMESPACE, { metadata: { name: "flux-system", labels } });
  kube.put(`${KUSTOMIZATIONS}/apps`, { metadata: { name: "apps" } });
  kube.put(`${SOURCE}/flux-system`, { metadata: { name: "flux-system" } });
  return kube;
}

describe("removing what a rehearsal under Flux left", () => {
  it("touches nothing of a Flux that is not the rehearsal's", async () => {
    const kube = world({});
    await removeFlux(kube);
    assert.deepEqual(kube.writes, []);
  });

  it("does nothing where there is no Flux", async () => {
    const kube = new FakeKube();
    await removeFlux(kube);
    assert.deepEqual(kube.writes, []);
  });

  it("takes the Kustomizations and the source away with the rehearsal's own namespace", async () => {
    const kube = world({ [OWNED_LABEL]: "true" });
    await removeFlux(kube);
    for (const path of [NAMESPACE, `${KUSTOMIZATIONS}/apps`, `${SOURCE}/flux-system`])
      assert.equal(kube.peek(path), undefined, path);
  });
});
