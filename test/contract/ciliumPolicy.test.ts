import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { ciliumPolicyObject } from "../../components/raftPolicyObjects";
import { pinnedModule } from "../../rehearsal/tools/pinnedModule";

/*
 * What stage network makes, against the schema of Cilium's own definition: from its Go module, by its checksum. As a
 * strict API server reads it: a key that the schema does not know is an error.
 */

const CILIUM = pinnedModule({
  module: "github.com/cilium/cilium",
  version: "v1.18.4",
  sum: "h1:/HrbeMmk46UDkJs4uJemIqxB7wuZ+QRMNVscNYua5C8=",
});
const DEFINITION = "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml";

type Schema = Record<string, unknown>;

/** A structural schema with every object closed that names its keys; what it only tests by is left as it is. */
function closed(schema: Schema): Schema {
  const { properties, items, additionalProperties: more, pattern } = schema;
  const each = (all: object): object =>
    Object.fromEntries(Object.entries(all).map(([key, one]) => [key, closed(one as Schema)]));
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || more !== undefined;
  return {
    ...schema,
    // Go writes a class of Unicode in one letter, as in \PC.
    ...(typeof pattern === "string" && { pattern: pattern.replace(/\\([pP])([A-Z])/g, "\\$1{$2}") }),
    ...(typeof properties === "object" && properties !== null && { properties: each(properties) }),
    ...(typeof items === "object" && items !== null && { items: closed(items as Schema) }),
    ...(typeof more === "object" && more !== null && { additionalProperties: closed(more as Schema) }),
    ...(properties !== undefined && !open && { additionalProperties: false }),
  };
}

function validator(folder: string): ValidateFunction {
  type Version = { name: string; schema: { openAPIV3Schema: Schema } };
  const { spec } = parse(readFileSync(join(folder, DEFINITION), "utf8")) as { spec: { versions: Version[] } };
  const { openAPIV3Schema } = spec.versions.find(({ name }) => name === "v2")!.schema;
  // Formats such as int32 and the x-kubernetes-* keywords are Kubernetes' own.
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(closed(openAPIV3Schema));
}

const title = "why" in CILIUM ? ` (SKIPPED: Cilium's module cannot be had: ${CILIUM.why})` : "";

("why" in CILIUM ? describe.skip : describe)(`CiliumNetworkPolicy contract${title}`, () => {
  let validate: ValidateFunction;
  const place = { namespace: "openbao", release: "openbao" };
  before(() => {
    validate = validator("dir" in CILIUM ? CILIUM.dir : "");
  });

  for (const directions of [["Ingress"], ["Egress"], ["Ingress", "Egress"]] as const) {
    it(`takes the policy of stage network for ${directions.join(" and ")} (H4)`, () => {
      assert.ok(validate(ciliumPolicyObject(place, directions)), JSON.stringify(validate.errors));
    });
  }

  const mutations: Record<string, [from: string, to: string]> = {
    "a key of NetworkPolicy's": ['"endpointSelector"', '"podSelector"'],
    "a peer's key in the wrong direction": ['"fromEndpoints"', '"toEndpoints"'],
    "ports outside toPorts": ['"toPorts":[{"ports"', '"ports":[{"ports"'],
    "a port as a number": ['"8201"', "8201"],
    "a protocol that is none": ['"TCP"', '"HTTP"'],
    "a label selector without its word": ['"matchLabels"', '"labels"'],
  };
  for (const [what, [from, to]] of Object.entries(mutations)) {
    it(`sees ${what}: Cilium would drop it, or refuse it (H4)`, () => {
      const right = JSON.stringify(ciliumPolicyObject(place, ["Ingress", "Egress"]));
      assert.ok(right.includes(from), from);
      assert.equal(validate(JSON.parse(right.replace(from, to))), false);
    });
  }
});
