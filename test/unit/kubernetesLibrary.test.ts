import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig, libraryPath } from "../../components/cluster/kubernetesLibrary";

describe("the Kubernetes library of the steps", () => {
  let modules: string;
  beforeEach(() => {
    modules = mkdtempSync(join(tmpdir(), "modules-"));
    for (const dir of ["@kubernetes/client-node", ".cache/openbao-raft-migration"])
      mkdirSync(join(modules, dir), { recursive: true });
    writeFileSync(join(modules, "@kubernetes/client-node/package.json"), '{"version":"9.9.9"}');
  });
  afterEach(() => rmSync(modules, { recursive: true }));
  const bundle = (version: string) =>
    join(modules, `.cache/openbao-raft-migration/client-node-${version}.cjs`);

  it("takes the one file of the installed version", () => {
    writeFileSync(bundle("9.9.9"), "");
    assert.equal(libraryPath(modules), bundle("9.9.9"));
  });

  it("never takes the file of another version", () => {
    writeFileSync(bundle("9.9.8"), "");
    assert.equal(libraryPath(modules), "@kubernetes/client-node");
  });

  it("reads a kubeconfig", () => {
    const config = new KubeConfig();
    config.loadFromString(
      '{"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:6443"}}],"contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],"users":[],"current-context":"x"}',
    );
    assert.equal(config.getCurrentCluster()?.server, "https://127.0.0.1:6443");
  });
});
