import assert from "node:assert/strict";
import { argoChecks } from "../../components/gate/argoChecks";
import { configOf, standaloneWorld } from "../support/snapshotBuilder";

const ARGO = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";

async function verdict(syncPolicy: object | undefined, namespace = "openbao") {
  const world = standaloneWorld();
  world.kube.put(`${ARGO}/bao`, {
    metadata: { namespace: "argocd" },
    spec: { destination: { namespace }, ...(syncPolicy && { syncPolicy }) },
  });
  return argoChecks[0]!.judge(await world.snapshot(), configOf());
}

describe("gate check argo-applications (I1, I38, F53)", () => {
  for (const [title, policy] of [
    ["no sync policy", undefined],
    ["a policy without automated", { syncOptions: ["CreateNamespace=true"] }],
    ["automated: null", { automated: null }],
    ["automated.enabled: false", { automated: { enabled: false, prune: true } }],
  ] as const) {
    it(`lets a paused one pass and names it: ${title}`, async () => {
      const { verdict: said, found } = await verdict(policy);
      assert.deepEqual([said, found], ["pass", "paused: argocd/bao"]);
    });
  }

  it("stops for an empty automated, which is on", async () => {
    assert.equal((await verdict({ automated: {} })).verdict, "fail");
  });

  it("leaves Applications of other namespaces alone", async () => {
    assert.deepEqual(await verdict({ automated: {} }, "apps").then(({ found }) => found), "none");
  });

  it("does not apply without Argo CD", async () => {
    const judgement = argoChecks[0]!.judge(await standaloneWorld().snapshot(), configOf());
    assert.equal(judgement.verdict, "not-applicable");
  });

  it("is not known, and so stops, when Applications may not be listed", async () => {
    const world = standaloneWorld();
    world.kube.fail("get", "/apis/argoproj.io/v1alpha1/applications", 403, "Forbidden");
    assert.equal(argoChecks[0]!.judge(await world.snapshot(), configOf()).verdict, "unknown");
  });
});
