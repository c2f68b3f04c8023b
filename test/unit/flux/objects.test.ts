import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { fluxObjects, OWNER } from "../../../rehearsal/flux/objects";
import { parseOptions } from "../../../rehearsal/options";
import { PLATFORM_TREE } from "../../../rehearsal/source/platformFiles";

interface Kustomization {
  readonly metadata: { name: string };
  readonly spec: {
    suspend?: boolean;
    path: string;
    dependsOn?: { name: string }[];
    patches?: { target: { name: string }; patch: string }[];
    postBuild?: { substituteFrom: { name: string }[] };
  };
}

const ofTree = (name: string) =>
  parse(
    readFileSync(join(PLATFORM_TREE, "k8s/clusters/prod", `${name}-flux-kustomization.yaml`), "utf8"),
  ) as Kustomization;

describe("the rehearsal under Flux", () => {
  it("takes the owner of the HelmRelease from Git, after the variables, which it puts in", () => {
    const owner = ofTree(OWNER);
    assert.equal(owner.metadata.name, OWNER);
    assert.deepEqual(owner.spec.dependsOn, [{ name: "bootstrap" }]);
    assert.deepEqual(owner.spec.postBuild?.substituteFrom, [
      { kind: "ConfigMap", name: "variables-cluster" },
    ]);
    assert.equal(ofTree("bootstrap").spec.path, "./k8s/clusters/prod/bootstrap");
  });

  it("states no suspend in Git, which a run of the parent would put back", () => {
    for (const name of ["bootstrap", OWNER]) assert.equal("suspend" in ofTree(name).spec, false, name);
  });

  it("changes nothing of Git's but the chart's address and the rehearsal's own label", () => {
    const parent = fluxObjects("http://127.0.0.1:1", "platform.git").at(-1)!
      .object as unknown as Kustomization;
    const [patch] = parent.spec.patches ?? [];
    assert.equal(patch?.target.name, OWNER);
    const paths = (JSON.parse(patch!.patch) as { path: string }[]).map(({ path }) => path);
    assert.deepEqual(paths, ["/spec/commonMetadata", "/spec/patches"]);
  });

  it("is asked for by --flux, and only where it can be", () => {
    assert.equal(parseOptions(["--flux"]).flux, true);
    assert.equal(parseOptions([]).flux, false);
    for (const other of [
      ["--context", "kind"],
      ["--carry", "none"],
      ["--rollback", "cutover"],
    ])
      assert.throws(
        () => parseOptions(["--flux", ...other]),
        /--flux with --context, --carry, --rollback or --delivery helm/,
      );
  });
});
