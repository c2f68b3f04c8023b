import assert from "node:assert/strict";
import { parse } from "yaml";
import { LandRefusal } from "../../components/land/landRefusal";
import { replicaFloorEdit } from "../../components/land/replicaFloorEdit";

const options = { file: "floor.yaml", namespace: "vault", release: "bao" };
const floor = (text: string): string => replicaFloorEdit(text, options);

/** A policy of one rule with this `exclude`, six spaces deep. */
function policy(exclude: string): string {
  const lines = exclude.split("\n").map((line) => `        ${line}`);
  return [
    "# the floor",
    "apiVersion: kyverno.io/v1",
    "kind: ClusterPolicy",
    "metadata: { name: floor }",
    "spec:",
    "  rules:",
    "    - name: three # replicas",
    "      exclude:",
    ...lines,
    "      validate: { message: too few }",
    "",
  ].join("\n");
}

const NAMESPACES = policy(
  "any:\n  # these cannot\n  - resources:\n      namespaces:\n        - velero # one\n        - vault # two\n        - other",
);

/** The exclude of the one rule. */
function excluded(text: string): unknown {
  return (parse(text) as { spec: { rules: { exclude?: unknown }[] } }).spec.rules[0]!.exclude;
}

describe("the exemption from the replica floor (hazard F69)", () => {
  it("loses the namespace's own line, and every other byte stays", () => {
    assert.equal(floor(NAMESPACES), NAMESPACES.replace("                - vault # two\n", ""));
  });

  it("stays as it is the second time, and where the policy exempts the server nowhere", () => {
    const once = floor(NAMESPACES);
    assert.equal(floor(once), once);
    const bare = once.replace(/ {6}exclude:\n[^]*(?= {6}validate)/, "");
    assert.equal(floor(bare), bare);
  });

  it("keeps CRLF line ends, and takes an item out of a list in brackets", () => {
    const crlf = NAMESPACES.replace(/\n/g, "\r\n");
    assert.equal(floor(crlf), floor(NAMESPACES).replace(/\n/g, "\r\n"));
    const flow = policy("any:\n  - resources: { namespaces: [velero, vault, x], kinds: [StatefulSet] }");
    assert.equal(floor(flow), flow.replace("velero, vault, x", "velero, x"));
    assert.equal(
      floor(flow.replace("velero, vault", "vault, velero")),
      flow.replace("velero, vault", "velero"),
    );
  });

  it("takes the comment above that speaks of the namespace, and leaves one that does not", () => {
    const with2 = NAMESPACES.replace(
      "- vault # two",
      "# Vault is one node,\n                # for a while\n                - vault",
    );
    assert.equal(floor(with2), floor(NAMESPACES));
    const heading = NAMESPACES.replace("- vault # two", "# singletons\n                - vault");
    assert.match(floor(heading), /# singletons\n +- other/);
  });

  it("goes as a whole where it is for this server alone: an empty list would exempt everything", () => {
    const alone = "- resources:\n      namespaces: [vault]";
    const among = policy(`any:\n  - resources:\n      names: [x]\n  ${alone}`);
    assert.deepEqual(excluded(floor(among)), { any: [{ resources: { names: ["x"] } }] });
    assert.equal(excluded(floor(policy(`any:\n  ${alone}`))), undefined);
    assert.equal(excluded(floor(policy("resources:\n  namespaces:\n    - vault"))), undefined);
    const joint = policy(`all:\n  - resources:\n      kinds: [StatefulSet]\n  ${alone}`);
    assert.equal(excluded(floor(joint)), undefined);
    assert.match(floor(joint), /name: three # replicas\n {6}validate/);
  });

  it("is dropped by the StatefulSet's name, too", () => {
    const names = policy("any:\n  - resources:\n      names:\n        - x\n        - bao");
    assert.deepEqual(excluded(floor(names)), { any: [{ resources: { names: ["x"] } }] });
    const pair = policy("any:\n  - resources:\n      names: [bao]\n      namespaces: [vault]");
    assert.equal(excluded(floor(pair)), undefined);
  });

  it("leaves what does not take the server in: other kinds, other namespaces, a label", () => {
    for (const one of [
      "any:\n  - resources:\n      kinds: [Deployment]\n      namespaces: [vault]",
      "any:\n  - resources:\n      names: [bao]\n      namespaces: [other]",
      "any:\n  - resources:\n      namespaces: [vault]\n      selector: { matchLabels: { a: b } }",
      "any:\n  - subjects: [{ kind: User, name: vault }]",
    ])
      assert.equal(floor(policy(one)), policy(one));
  });

  const cases: Record<string, [text: string, words: RegExp]> = {
    "a pattern that takes the namespace in": [
      NAMESPACES.replace("- vault #", '- "va*" #'),
      /^floor\.yaml:14: found the pattern "va\*"/,
    ],
    "names and namespaces of several workloads": [
      policy("any:\n  - resources:\n      names: [bao, x]\n      namespaces: [vault, y]"),
      /^floor\.yaml:10: found namespaces and names/,
    ],
    "a list that another place reads": [
      NAMESPACES.replace("namespaces:", "namespaces: &n") + "x: *n\n",
      /^floor\.yaml:13: found an anchor \(&n\)/,
    ],
    "an item with other text on its line": [
      policy("any:\n  - resources:\n      namespaces: [vault]\n  - resources: { names: [x] }").replace(
        "      exclude:\n        any:\n",
        "      exclude: {\n any: [\n",
      ),
      /^floor\.yaml:/,
    ],
    "no policy of Kyverno": [
      "kind: ConfigMap\nmetadata: { name: a }\n",
      /no Kyverno policy \(it holds: ConfigMap a\)/,
    ],
    "two policies": [`${NAMESPACES}---\n${NAMESPACES}`, /2 times Kyverno policy/],
    "a policy without rules": [
      "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {}\n",
      /^floor\.yaml:1: found no list spec\.rules/,
    ],
  };
  for (const [title, [text, words]] of Object.entries(cases)) {
    it(`refuses ${title}, by file and line`, () => {
      assert.throws(
        () => floor(text),
        (error: unknown) => {
          assert.ok(error instanceof LandRefusal, String(error));
          assert.match(error.message, words);
          return true;
        },
      );
    });
  }
});
