import assert from "node:assert/strict";
import {
  appliedSince,
  commitOf,
  runSeconds,
  sourcePlace,
  variableSaid,
  type Kustomization,
} from "../../components/steps/fluxObjects";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const ORIGIN = "org.opencontainers.image.revision";
const withRevision = (revision: string, metadata?: Record<string, string>) => ({
  status: { artifact: { revision, ...(metadata && { metadata }) } },
});

describe("the Git commit that a Flux source holds (hazard F69)", () => {
  it("is read from each form of a GitRepository's revision", () => {
    for (const text of [`main@sha1:${SHA}`, `refs/heads/main@sha1:${SHA}`, `sha1:${SHA}`, `main/${SHA}`, SHA])
      assert.equal(commitOf(withRevision(text), "gitrepositories"), SHA, text);
  });

  it("of an OCI artifact is its noted origin, and never its own digest", () => {
    const digest = `latest@sha256:${"ab".repeat(32)}`;
    assert.equal(commitOf(withRevision(digest), "ocirepositories"), undefined);
    const noted = withRevision(digest, { [ORIGIN]: `main@sha1:${SHA}` });
    assert.equal(commitOf(noted, "ocirepositories"), SHA);
  });

  it("is not known of a source without an artifact, or with another revision", () => {
    assert.equal(commitOf({}, "gitrepositories"), undefined);
    assert.equal(commitOf(withRevision("main@sha1:beef"), "gitrepositories"), undefined);
  });
});

describe("a Kustomization's source", () => {
  const of = (sourceRef: { kind?: string; name?: string; namespace?: string }) =>
    sourcePlace({ spec: { sourceRef } }, "flux-system")?.path;

  it("lies in its own namespace unless another is named", () => {
    const group = "/apis/source.toolkit.fluxcd.io/v1/namespaces";
    assert.equal(of({ kind: "GitRepository", name: "a" }), `${group}/flux-system/gitrepositories/a`);
    assert.equal(of({ kind: "OCIRepository", name: "a", namespace: "n" }), `${group}/n/ocirepositories/a`);
  });

  it("of an unknown kind is not known", () => assert.equal(of({ kind: "Other", name: "a" }), undefined));
});

describe("whether a Kustomization has applied its objects", () => {
  const owner = (
    ...conditions: NonNullable<Kustomization["status"]>["conditions"] & object
  ): Kustomization => ({
    metadata: { generation: 3 },
    status: { conditions },
  });

  it("is not told by what it said of an earlier spec, as while it was suspended", () => {
    assert.equal(appliedSince(owner({ type: "Ready", status: "True", observedGeneration: 2 })), false);
    assert.equal(appliedSince(owner({ type: "Healthy", status: "True", observedGeneration: 2 })), false);
    assert.equal(appliedSince({ metadata: { generation: 3 } }), false);
  });

  it("is true once it is ready, or checks the health of what it applied: a suspended HelmRelease keeps that waiting", () => {
    assert.equal(appliedSince(owner({ type: "Ready", status: "True", observedGeneration: 3 })), true);
    const progressing = { type: "Ready", status: "Unknown", reason: "Progressing", observedGeneration: 3 };
    assert.equal(appliedSince(owner(progressing)), false);
    const checking = { type: "Healthy", status: "Unknown", reason: "Progressing", observedGeneration: 3 };
    assert.equal(appliedSince(owner(progressing, checking)), true);
  });

  it("is true after a failed health check, and not after a failed build or apply", () => {
    const failed = (reason: string) =>
      appliedSince(owner({ type: "Ready", status: "False", reason, observedGeneration: 3 }));
    assert.equal(failed("HealthCheckFailed"), true);
    for (const reason of ["BuildFailed", "ReconciliationFailed", "DependencyNotReady", "ArtifactFailed"])
      assert.equal(failed(reason), false, reason);
  });
});

describe("how long a run of a Kustomization may take", () => {
  it("is its timeout, else its interval, in Go's words", () => {
    assert.equal(runSeconds({ spec: { timeout: "1h2m3s", interval: "5m" } }), 3723);
    assert.equal(runSeconds({ spec: { interval: "1.5m" } }), 90);
    assert.equal(runSeconds({}), 0);
  });
});

describe("a variable of a Kustomization", () => {
  const maps = new Map<string, Record<string, string>>([
    ["base", { openbao_replicas: "1", other: "x" }],
    ["cluster", { openbao_replicas: "3" }],
  ]);
  const from = (...names: string[]): Kustomization => ({
    spec: { postBuild: { substituteFrom: names.map((name) => ({ kind: "ConfigMap", name })) } },
  });

  it("is what the last ConfigMap says that has it", () => {
    assert.equal(variableSaid(from("base", "cluster"), "openbao_replicas", maps), "3");
    assert.equal(variableSaid(from("cluster", "base"), "openbao_replicas", maps), "1");
    assert.equal(variableSaid(from("base", "cluster"), "other", maps), "x");
  });

  it("is what the Kustomization itself says before all", () => {
    const own: Kustomization = {
      spec: { postBuild: { ...from("base").spec?.postBuild, substitute: { openbao_replicas: "5" } } },
    };
    assert.equal(variableSaid(own, "openbao_replicas", maps), "5");
  });

  it("is not known where only a Secret could have it", () => {
    const owner: Kustomization = {
      spec: { postBuild: { substituteFrom: [{ kind: "Secret", name: "base" }] } },
    };
    assert.equal(variableSaid(owner, "openbao_replicas", maps), undefined);
  });
});
