import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { parseAllDocuments } from "yaml";
import { talosEdit } from "../../components/land/talosEdit";
import { networkRule } from "../../components/talosRule";
import { pinnedModule } from "../../rehearsal/tools/pinnedModule";

/*
 * The Talos documents of stages network and land, against the schema of Talos' own machinery: from its Go module, by its
 * checksum. The schema says how a subnet is written and not whether it is one: that is the config's own check.
 */

const TALOS = pinnedModule({
  module: "github.com/siderolabs/talos/pkg/machinery",
  version: "v1.11.5",
  sum: "h1:RDt7pAoe5K6y99N66t+nkBaJsL8asQfcYYeIH2JSrGY=",
});
const SCHEMA = "config/schemas/config.schema.json";
const BLOCK = "# ours\napiVersion: v1alpha1\nkind: NetworkDefaultActionConfig\ningress: block\n";

const title = "why" in TALOS ? ` (SKIPPED: Talos' module cannot be had: ${TALOS.why})` : "";

("why" in TALOS ? describe.skip : describe)(`Talos documents contract${title}`, () => {
  let accepts: (document: unknown) => boolean;
  before(() => {
    const schema = JSON.parse(readFileSync(join("dir" in TALOS ? TALOS.dir : "", SCHEMA), "utf8")) as object;
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    accepts = (document) => validate(document);
  });

  it("takes the rule for subnets of both families, and of as many as there are (H4, F44)", () => {
    for (const subnets of [["10.0.0.0/24"], ["fd00::/64"], ["10.0.0.0/24", "10.1.0.0/16", "fd00:1::/48"]])
      assert.equal(accepts(networkRule(subnets)), true, subnets.join());
  });

  it("takes each document of the patch file that stage land writes, the one before it too (F44)", () => {
    const documents = parseAllDocuments(talosEdit(BLOCK, { file: "p.yaml", nodeSubnets: ["10.0.0.0/24"] }));
    assert.ok(Array.isArray(documents) && documents.length === 2);
    for (const document of documents) assert.equal(accepts(document.toJS()), true, String(document));
  });

  const right = networkRule(["10.0.0.0/24"]);
  for (const [what, wrong] of [
    ["a key of another name", { ...right, ingres: [] }],
    ["a protocol in capitals", { ...right, portSelector: { ...right.portSelector, protocol: "TCP" } }],
    ["a port as Kubernetes selects it", { ...right, portSelector: { ports: [{ port: 8201 }] } }],
    ["a subnet without its length", { ...right, ingress: [{ subnet: "10.0.0.0" }] }],
    ["peers as NetworkPolicies name them", { ...right, ingress: [{ from: [] }] }],
    ["another apiVersion", { ...right, apiVersion: "v1" }],
    ["another kind", { ...right, kind: "NetworkRule" }],
  ] as const) {
    it(`sees ${what}: Talos would refuse the whole machine config (F44)`, () => {
      assert.equal(accepts(wrong), false);
    });
  }
});
