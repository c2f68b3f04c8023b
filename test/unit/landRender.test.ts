import assert from "node:assert/strict";
import { parse } from "yaml";
import { fluxSubstitute } from "../../components/land/fluxSubstitute";
import { renderValues, variablesOf } from "../../components/land/renderedValues";
import { differenceLine, valueDifferences } from "../../components/land/valueDifferences";
import { OWNED_VALUES, raftValues } from "../../components/openBaoConfig/targetValues";
import { HELM_RELEASE, HELM_RELEASE_RAFT, VARIABLES } from "../support/platformFiles";

const FILES = { helmRelease: "hr.yaml", release: "openbao", namespace: "openbao" };

describe("fluxSubstitute", () => {
  const cases: [source: string, text: string][] = [
    ["${a} ${a:=x} ${a:-x} ${a=x}", "1 1 1 1"],
    ["${none} ${none:=x} ${none:-y} ${none=z} ${none:=}", " x y z "],
    ["${empty:=x}", "x"],
    ["$${a} $a $$ $", "${a} $a $ $"],
    ["${none:=${a}-${none:=b c}}", "1-b c"],
    ["${lines}", "xy"],
  ];
  for (const [source, text] of cases) {
    it(`makes ${JSON.stringify(text)} of ${JSON.stringify(source)}`, () => {
      assert.equal(fluxSubstitute(source, { a: "1", empty: "", lines: "x\ny" }).text, text);
    });
  }

  it("names the variables that have neither value nor default", () => {
    assert.deepEqual(fluxSubstitute("${a} ${b:=x} ${c} ${toString}", { c: "1" }).missing, ["a", "toString"]);
  });

  it("refuses text functions and unclosed variables, by line", () => {
    for (const bad of ["${a^^}", "${a/x/y}", "${a:1}", "${a-x}", "${a", "${}", "${a:=x"]) {
      assert.throws(() => fluxSubstitute(`\n${bad}`, {}), /variable in line 2/, bad);
    }
  });
});

describe("renderValues", () => {
  const render = (source: string, variables: string): unknown =>
    renderValues(source, FILES, variablesOf(variables, "vars.yaml"));

  it("gives, of the landed files, what the flip put on the live release", () => {
    const before = render(HELM_RELEASE, VARIABLES) as { server: { ha?: unknown; standalone: object } };
    const overlay = raftValues(before, { release: "openbao", namespace: "openbao", replicas: 3 });
    before.server.standalone = { ...before.server.standalone, enabled: false };
    before.server.ha = overlay.server.ha;
    const after = render(HELM_RELEASE_RAFT, VARIABLES.replace('"1"', '"3"'));
    assert.deepEqual(valueDifferences(after, before, OWNED_VALUES), []);
    assert.equal(
      (before as unknown as { server: { dataStorage: { size: string } } }).server.dataStorage.size,
      "10Gi",
    );
  });

  it("reads numbers and words as Kubernetes does", () => {
    const source = HELM_RELEASE.replace(
      "csi:\n",
      "csi:\n      mode: 0640\n      octal: 0o17\n      hex: 0x1F\n      at: 12:30\n      day: 2026-01-02\n      on: yes\n",
    );
    const { csi } = render(source, VARIABLES) as { csi: unknown };
    assert.deepEqual(csi, {
      mode: 0o640,
      octal: 0o17,
      hex: 31,
      at: "12:30",
      day: "2026-01-02",
      true: true,
      enabled: "-",
    });
  });

  it("leaves an object alone that is not to be substituted", () => {
    const source = HELM_RELEASE.replace(
      "  labels:\n",
      "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n  labels:\n",
    );
    const { server } = render(source, VARIABLES) as { server: { replicas: string } };
    assert.equal(server.replicas, "${openbao_replicas:=1}");
  });
});

describe("valueDifferences", () => {
  it("gives paths and kinds, never a value", () => {
    const rendered = parse("a: {b: 1, c: [1]}\nd: secret1\ne: 1\n") as unknown;
    const live = parse('a: {b: "1", c: [1]}\nd: secret2\nf: 1\n') as unknown;
    const lines = valueDifferences(rendered, live).map(differenceLine);
    assert.deepEqual(lines, ["a.b (different)", "d (different)", "e (extra)", "f (missing)"]);
  });

  it("can be limited to the owned fields", () => {
    const live = { server: { ha: { replicas: 3, other: 1 }, dataStorage: { storageClass: "hcloud" } } };
    const lines = valueDifferences({ server: { ha: { replicas: 1 } } }, live, OWNED_VALUES).map(
      differenceLine,
    );
    assert.deepEqual(lines, ["server.ha.replicas (different)"]);
    assert.deepEqual(valueDifferences({}, live, OWNED_VALUES).map(differenceLine), ["server (missing)"]);
  });
});
