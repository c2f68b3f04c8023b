import assert from "node:assert/strict";
import { certificateSpecs, subject } from "../../../rehearsal/cluster/pki";

const named = (file: string) => {
  const spec = certificateSpecs().find((candidate) => candidate.file === file);
  assert.ok(spec, file);
  return spec;
};

describe("cluster certificates", () => {
  it("names kubelets as the Node authorizer wants them", async () => {
    assert.equal(subject(named("node-2-client")), "/O=system:nodes/CN=system:node:node-2");
    assert.equal(named("node-2-client").usage, "clientAuth");
  });

  it("lets the API server verify a kubelet by its address", async () => {
    assert.ok(named("node-3-server").names?.includes("IP:10.89.0.13"));
  });

  it("names the API server by its bridge address, its Service address and its Service name", async () => {
    for (const name of ["IP:10.89.0.1", "IP:10.97.0.1", "DNS:kubernetes.default.svc.cluster.local"]) {
      assert.ok(named("apiserver").names?.includes(name), name);
    }
  });

  it("gives the control plane no more than its own user", async () => {
    for (const file of ["kube-controller-manager", "kube-scheduler", "kube-proxy", "apiserver-etcd-client"]) {
      assert.equal(named(file).organization, undefined, file);
    }
  });

  it("escapes what would start another part of the subject", async () => {
    assert.equal(subject({ commonName: "a/O=system:masters+b" }), "/CN=a\\/O=system:masters\\+b");
  });
});
