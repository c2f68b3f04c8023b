import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { helmReleasesAreOurs } from "../../rehearsal/standins/crds/installCrds";
import { writeOneContext } from "../../rehearsal/oneContext";
import { OWNED_LABEL } from "../../rehearsal/source/sourceCluster";
import { FakeKube } from "../support/fakeKube";

describe("a rehearsal on a cluster of the user's own (hazard I3: the wrong cluster)", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "one-context-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("gives all that it starts a kubeconfig in which production is not even named", () => {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        { name: "prod", server: "https://prod.example:6443", skipTLSVerify: false },
        { name: "kind", server: "https://127.0.0.1:7443", skipTLSVerify: false },
      ],
      users: [
        { name: "prod-admin", token: "example-of-prod" },
        { name: "kind-admin", token: "example-of-kind" },
      ],
      contexts: [
        { name: "prod", cluster: "prod", user: "prod-admin" },
        { name: "kind", cluster: "kind", user: "kind-admin" },
      ],
      currentContext: "kind",
    });
    const file = join(dir, "kubeconfig");
    writeOneContext(config, file);
    const read = new KubeConfig();
    read.loadFromFile(file);
    assert.equal(read.getCurrentContext(), "kind");
    assert.equal(read.getCurrentCluster()?.server, "https://127.0.0.1:7443");
    assert.equal(read.getCurrentUser()?.token, "example-of-kind");
    assert.doesNotMatch(readFileSync(file, "utf8"), /prod/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  for (const [what, labels, ours] of [
    ["made by an earlier rehearsal", { [OWNED_LABEL]: "true" }, true],
    ["of a Flux of the user's", { "app.kubernetes.io/part-of": "flux" }, false],
  ] as const) {
    it(`${ours ? "starts" : "never starts"} the stand-in for helm-controller where the definitions are ${what}`, async () => {
      const kube = new FakeKube();
      kube.put(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/helmreleases.helm.toolkit.fluxcd.io",
        {
          metadata: { name: "helmreleases.helm.toolkit.fluxcd.io", labels },
        },
      );
      assert.equal(await helmReleasesAreOurs(kube), ours);
    });
  }
});
