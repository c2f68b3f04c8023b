import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseConfig } from "../../config";
import { withChart } from "../../components/delivery/helmChart";
import { changedObjects, isRecent } from "../../components/gate/readDelivery";
import { helmReleaseEdit } from "../../components/land/helmReleaseEdit";
import { pullRequestText } from "../../components/land/pullRequest";
import { renderValues } from "../../components/land/renderedValues";
import { wantsRaft } from "../../components/steps/world";
import { parseOptions } from "../../rehearsal/options";
import { helmValuesText, platformObjects } from "../../rehearsal/source/platformFiles";

const FILE = "helm/values.yaml";
const about = {
  file: FILE,
  release: "openbao",
  namespace: "openbao",
  replicas: 3,
  plainValues: true,
} as const;
const files = { helmRelease: FILE, plainValues: true, release: "openbao", namespace: "openbao" } as const;

function findings(git: object, more: object = { delivery: "helm" }): string[] {
  const result = parseConfig({ stage: "land", git: { checkout: ".", ...git }, ...more });
  return result.ok ? [] : result.findings.map(({ key, expected }) => `${key}: ${expected}`);
}

describe("the config of delivery helm", () => {
  it("wants the file of values, and nothing of Flux's", () => {
    assert.deepEqual(findings({ values: FILE }), []);
    assert.deepEqual(findings({ helmRelease: "a", variables: "b" }), [
      "openbao-migration:git.values: the file of Helm values, since delivery is helm",
      "openbao-migration:git.helmRelease: nothing, since delivery is helm",
      "openbao-migration:git.variables: nothing, since delivery is helm",
    ]);
  });

  it("leaves Flux's as it was: the HelmRelease's file is needed, and a file of values is a mistake", () => {
    assert.deepEqual(findings({ helmRelease: "a" }, {}), []);
    assert.deepEqual(findings({ values: FILE }, {}), [
      "openbao-migration:git.helmRelease: the file of the HelmRelease",
      "openbao-migration:git.values: nothing, since delivery is flux",
    ]);
  });

  it("takes no other word, in the rehearsal neither", () => {
    assert.match(findings({ values: FILE }, { delivery: "argo" }).join(), /delivery/);
    assert.throws(
      () => parseOptions(["--delivery", "argo"]),
      /--delivery "argo": expected one of flux, helm/,
    );
    assert.equal(parseOptions(["--delivery", "helm"]).delivery, "helm");
  });
});

describe("a file of Helm values at land", () => {
  const before = helmValuesText();
  const after = helmReleaseEdit(before, about);

  it("is the HelmRelease's values, as the rehearsal makes it", () => {
    const release = platformObjects().find(({ kind }) => kind === "HelmRelease") as unknown as {
      spec: { values: object };
    };
    assert.deepEqual(parse(before), release.spec.values);
  });

  it("says Raft with the number of nodes, and keeps every comment and line besides", () => {
    const values = renderValues(after, files, {});
    assert.equal(wantsRaft({ spec: { values } }), true);
    assert.equal((values["server"] as { ha: { replicas: number } }).ha.replicas, 3);
    const kept = new Set(after.split("\n"));
    assert.deepEqual(
      before.split("\n").filter((line) => !kept.has(line)),
      [],
    );
    assert.match(after, /standalone:\n {4}enabled: false/);
  });

  it("is left alone the second time", () => {
    assert.equal(helmReleaseEdit(after, about), after);
  });

  it("takes ${...} as it stands: Helm substitutes nothing", () => {
    assert.deepEqual(renderValues("a: ${b}\n", files, { b: "c" }), { a: "${b}" });
  });

  for (const [what, text] of [
    ["two documents", "a: 1\n---\nb: 2\n"],
    ["no map", "- a\n"],
    ["no server config", "server: {}\n"],
  ] as const)
    it(`is refused with ${what}, by its name (F69)`, () => {
      assert.throws(() => helmReleaseEdit(text, about), /values\.yaml/);
    });

  it("is what the pull request speaks of, not Flux", () => {
    const request = {
      release: "openbao",
      namespace: "openbao",
      branch: "b",
      replicas: 3,
      themes: [],
      files: [],
      journal: [],
    };
    assert.match(pullRequestText({ ...request, delivery: "helm" }), /next\n`helm upgrade`/);
    assert.doesNotMatch(pullRequestText({ ...request, delivery: "helm" }), /Flux/);
    assert.match(pullRequestText(request), /Flux/);
  });
});

describe("what Helm would do again", () => {
  const object = (name: string, data: string) =>
    `---\n# Source: x\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: ${data}\n`;

  it("is told by object, without its text", () => {
    const before = object("a", "one") + object("b", "secret");
    assert.deepEqual(changedObjects(before, before), []);
    assert.deepEqual(changedObjects(before, object("a", "one") + object("b", "other")), ["ConfigMap/b"]);
    assert.deepEqual(changedObjects(before, object("a", "one")), ["ConfigMap/b"]);
  });

  it("needs a Helm that puts labels on a revision", () => {
    const versions = ["v3.12.9", "v3.13.0", "v3.19.5+g1", "v4.0.0", "nonsense"];
    assert.deepEqual(versions.map(isRecent), [false, true, true, true, false]);
  });

  it("does not write a recorded file outside the chart's folder (F56)", async () => {
    const chart = { metadata: { name: "x" }, files: [{ name: "../../escape", data: "" }] };
    await assert.rejects(
      withChart(chart, () => Promise.resolve()),
      /leads out of the chart/,
    );
  });
});
