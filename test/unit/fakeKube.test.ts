import assert from "node:assert/strict";
import { KubeError, type KubeObject } from "../../components/cluster/kubeClient";
import { FakeKube } from "../support/fakeKube";

const PODS = "/api/v1/namespaces/openbao/pods";

describe("fakeKube", () => {
  it("lists what was put, by label and over all namespaces", async () => {
    const kube = new FakeKube()
      .put(`${PODS}/a`, { metadata: { labels: { app: "x" } } })
      .put(`${PODS}/b`, { metadata: { labels: { app: "y" } } });
    const names = (await kube.list(PODS, { labelSelector: "app=x" })).map((pod) => pod.metadata?.name);
    assert.deepEqual(names, ["a"]);
    assert.equal((await kube.list("/api/v1/pods")).length, 2);
    assert.equal((await kube.list("/api/v1/pods", { fieldSelector: "metadata.name=b" })).length, 1);
  });

  it("answers 404 for a custom kind that nobody installed, and an empty list for a built-in one", async () => {
    const kube = new FakeKube();
    await assert.rejects(kube.list("/apis/cilium.io/v2/ciliumnetworkpolicies"), { status: 404 });
    assert.deepEqual(await kube.list("/apis/policy/v1/namespaces/openbao/poddisruptionbudgets"), []);
    assert.deepEqual(await kube.serve("/apis/cilium.io/v2/cnps").list("/apis/cilium.io/v2/cnps"), []);
    assert.equal(await kube.find(`${PODS}/none`), undefined);
    assert.equal(await kube.find("/api/v1/namespaces/openbao"), undefined);
  });

  it("refuses a second create and a write over an older resourceVersion with 409", async () => {
    const kube = new FakeKube();
    const made = await kube.create<KubeObject>(PODS, { metadata: { name: "a" } });
    await assert.rejects(kube.create(PODS, { metadata: { name: "a" } }), { status: 409 });
    await kube.mergePatch(`${PODS}/a`, { metadata: { labels: { x: "1" } } });
    await assert.rejects(
      kube.replace(`${PODS}/a`, {
        metadata: { name: "a", resourceVersion: made.metadata!.resourceVersion! },
      }),
      (error: KubeError) => error.status === 409,
    );
    assert.deepEqual(
      kube.writes.map((write) => write.verb),
      ["create", "create", "mergePatch", "replace"],
    );
  });

  it("scales the parent through /scale, and bumps its generation", async () => {
    const sets = "/apis/apps/v1/namespaces/openbao/statefulsets";
    const kube = new FakeKube().put(`${sets}/openbao`, { spec: { replicas: 1 } });
    await kube.mergePatch(`${sets}/openbao/scale`, { spec: { replicas: 0 } });
    const set = kube.peek<{ spec: { replicas: number }; metadata: { generation: number } }>(
      `${sets}/openbao`,
    );
    assert.equal(set?.spec.replicas, 0);
    assert.equal(set?.metadata.generation, 2);
  });

  it("stores nothing in a dry run", async () => {
    const kube = new FakeKube();
    await kube.create(PODS, { metadata: { name: "a" } }, { dryRun: "All" });
    assert.equal(kube.peek(`${PODS}/a`), undefined);
  });

  it("wakes a wait on a change, and ends it at its bound", async () => {
    const kube = new FakeKube();
    const wait = kube.waitFor(PODS, "a", (pod) => pod !== undefined, { what: "pod a", timeoutSeconds: 5 });
    kube.put(`${PODS}/a`, {});
    assert.equal((await wait)?.metadata?.name, "a");
    await assert.rejects(
      kube.waitFor(PODS, "b", (pod) => pod !== undefined, { what: "pod b", timeoutSeconds: 0.01 }),
      /waited 0.01 s for pod b; last seen: "absent"/,
    );
  });
});
