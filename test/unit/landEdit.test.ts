import assert from "node:assert/strict";
import { parse } from "yaml";
import { helmReleaseEdit } from "../../components/land/helmReleaseEdit";
import { variablesEdit } from "../../components/land/variablesEdit";
import { HELM_RELEASE, HELM_RELEASE_RAFT, VARIABLES } from "../support/platformFiles";

const OPTIONS = {
  file: "k8s/helm-release.yaml",
  release: "openbao",
  namespace: "openbao",
  replicas: 3,
  replicasVariable: "openbao_replicas",
};

const HEAD = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: openbao\n";
const HCL = 'storage \\"file\\" { path = \\"/d\\" } listener \\"tcp\\" { tls_disable = 1 }';
const release = (server: string): string => `${HEAD}spec:\n  values:\n    server:\n${server}`;
const serverOf = (text: string): Record<string, never> =>
  (parse(text) as { spec: { values: { server: Record<string, never> } } }).spec.values.server;

describe("helmReleaseEdit", () => {
  it("changes the owned lines only: comments, quotes, anchors, order and spacing stay", () => {
    assert.equal(helmReleaseEdit(HELM_RELEASE, OPTIONS), HELM_RELEASE_RAFT);
  });

  it("changes nothing the second time, also where the Raft config was edited since", () => {
    assert.equal(helmReleaseEdit(HELM_RELEASE_RAFT, OPTIONS), HELM_RELEASE_RAFT);
    const tuned = HELM_RELEASE_RAFT.replace(
      "setNodeId: true\n          config: |\n            ui = true",
      "setNodeId: true\n          config: |\n            ui = false",
    );
    assert.notEqual(tuned, HELM_RELEASE_RAFT);
    assert.equal(helmReleaseEdit(tuned, OPTIONS), tuned);
  });

  it("keeps CRLF line ends", () => {
    const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
    assert.equal(helmReleaseEdit(crlf(HELM_RELEASE), OPTIONS), crlf(HELM_RELEASE_RAFT));
  });

  it("writes the number where no variables file is configured", () => {
    const { replicasVariable: _, ...options } = OPTIONS;
    const text = helmReleaseEdit(HELM_RELEASE, options);
    assert.equal(
      text,
      HELM_RELEASE_RAFT.replace(
        "ha:\n        enabled: true\n        replicas: ${openbao_replicas:=1}",
        "ha:\n        enabled: true\n        replicas: 3",
      ),
    );
  });

  it("edits what is there of ha, and replaces an old Raft config whole", () => {
    const text = release(
      `      standalone: {enabled: true, config: "${HCL}"}\n` +
        `      ha: # off\n        enabled: false\n        replicas: "5" # five\n        raft:\n          config: |- # old\n            x = 1\n\n            y = 2\n\n          enabled: false\n`,
    );
    const edited = helmReleaseEdit(text, OPTIONS);
    assert.ok(
      edited.includes(
        `      standalone: {enabled: false, config: "${HCL}"}\n      ha: # off\n        enabled: true\n        replicas: \${openbao_replicas:=1} # five\n        raft:\n          config: | # old\n            storage "raft" {`,
      ),
    );
    assert.ok(
      edited.endsWith(
        'service_registration "kubernetes" {}\n\n          enabled: true\n          setNodeId: true\n',
      ),
    );
  });

  for (const empty of ["ha:\n", "ha: {}\n", "ha: ~\n", "ha: # none yet\n"]) {
    it(`fills ${JSON.stringify(empty)}`, () => {
      const text = release(
        `      standalone:\n        config: "${HCL}"\n      ${empty}      logLevel: info\n`,
      );
      const server = serverOf(helmReleaseEdit(text, OPTIONS));
      assert.deepEqual(Object.keys(server), ["standalone", "ha", "logLevel"]);
      assert.deepEqual(Object.keys(server.ha!), ["enabled", "replicas", "raft"]);
    });
  }

  it("finishes a last line without a line break", () => {
    const text = release(`      standalone:\n        config: "${HCL}"`);
    assert.ok(helmReleaseEdit(text, OPTIONS).includes(`${HCL}"\n        enabled: false\n      ha:\n`));
  });

  it("writes a map config as a map", () => {
    const map = '{ui: true, listener: {tcp: {tls_disable: 1}}, storage: {file: {path: "/d"}}}';
    const edited = helmReleaseEdit(release(`      standalone:\n        config: ${map}\n`), OPTIONS);
    const ha = serverOf(edited).ha as unknown as {
      raft: { config: { storage: { raft: { path: string } } } };
    };
    assert.equal(ha.raft.config.storage.raft.path, "/d");
  });

  it("edits the release's own document among others", () => {
    const other = "kind: Namespace\nmetadata:\n  name: openbao\n";
    const text = `${other}---\n${HELM_RELEASE.slice(4)}---\n${other}`;
    assert.equal(helmReleaseEdit(text, OPTIONS), `${other}---\n${HELM_RELEASE_RAFT.slice(4)}---\n${other}`);
  });

  const config = `config: "${HCL}"`;
  const refused: Record<string, [source: string, message: RegExp]> = {
    "a file without the release": [
      HELM_RELEASE.replace("name: openbao", "name: vault"),
      /no HelmRelease openbao \(it holds: HelmRelease vault\)/,
    ],
    "another namespace": [
      HELM_RELEASE.replace("namespace: openbao", "namespace: x"),
      /no HelmRelease openbao/,
    ],
    "the release twice": [
      `${HELM_RELEASE}---\n${HELM_RELEASE}`,
      /helm-release\.yaml:\d{2,}: found 2 times HelmRelease openbao/,
    ],
    "values from elsewhere": [
      `${HEAD}spec:\n  valuesFrom: []\n`,
      /helm-release\.yaml:1: found no spec\.values/,
    ],
    "no config": [
      release("      standalone:\n        enabled: true\n"),
      /helm-release\.yaml:1: found no server\.standalone\.config/,
    ],
    "an alias on the way": [
      release(`      dev: &x\n        ${config}\n      standalone: *x\n`),
      /helm-release\.yaml:10: found an alias \(\*x\)/,
    ],
    "a shared anchor": [
      release(`      standalone: &x\n        ${config}\n      dev: *x\n`),
      /yaml:9: found an anchor \(&x\) that is used elsewhere/,
    ],
    "a merge key": [
      release(`      <<: {a: 1}\n      standalone:\n        ${config}\n`),
      /yaml:8: found a merge key/,
    ],
    "a map in braces": [
      release(`      standalone: {${config}}\n`),
      /yaml:8: found a map in braces where spec\.values\.server\.standalone\.enabled/,
    ],
    "a list for a value": [
      release(`      standalone:\n        ${config}\n        enabled: [1]\n`),
      /yaml:10: found a map or list/,
    ],
    "broken YAML": [`${HELM_RELEASE}  x: [`, /helm-release\.yaml:\d+: found YAML that does not parse/],
    "a key twice": [
      release(`      standalone:\n        ${config}\n      standalone:\n        ${config}\n`),
      /yaml:10: found YAML that does not parse/,
    ],
  };
  for (const [name, [source, message]] of Object.entries(refused)) {
    it(`refuses ${name}, by file and line`, () =>
      assert.throws(() => helmReleaseEdit(source, OPTIONS), message));
  }
});

describe("variablesEdit", () => {
  const edit = (source: string): string =>
    variablesEdit(source, { file: "vars.yaml", variable: "openbao_replicas", value: "3" });

  it("changes the one value, as a string, in its own quotes", () => {
    assert.equal(edit(VARIABLES), VARIABLES.replace('"1" # nodes', '"3" # nodes'));
    assert.equal(edit(VARIABLES.replace('"1"', "'1'")), VARIABLES.replace('"1"', "'3'"));
    assert.equal(edit(VARIABLES.replace('"1"', "1")), VARIABLES.replace('"1"', '"3"'));
  });

  it("adds the variable where it is missing", () => {
    const without = VARIABLES.replace('  openbao_replicas: "1" # nodes\n', "");
    assert.equal(edit(without), `${without}  openbao_replicas: "3"\n`);
  });

  it("changes nothing the second time", () => assert.equal(edit(edit(VARIABLES)), edit(VARIABLES)));

  it("refuses an encrypted file, and one without a ConfigMap", () => {
    assert.throws(
      () => edit(`${VARIABLES}sops: {mac: x}\n`),
      /vars\.yaml:\d{2,}: found a file encrypted by SOPS/,
    );
    assert.throws(() => edit("kind: Secret\n"), /no ConfigMap \(it holds: Secret \?\)/);
  });
});
