import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { talosEdit } from "../../components/land/talosEdit";
import { LandRefusal } from "../../components/land/landRefusal";
import { networkRule } from "../../components/talosRule";

const options = { file: "talos/patch.yaml", nodeSubnets: ["10.0.0.0/24"] };
const EXISTING = `# the firewall of all nodes
apiVersion: v1alpha1
kind: NetworkDefaultActionConfig
ingress: block # by default
---
apiVersion: v1alpha1
kind: NetworkRuleConfig
name: kubelet
portSelector: { ports: [10250], protocol: tcp }
ingress: [{ subnet: 10.0.0.0/24 }]
`;

function documents(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => (document as { toJS(): unknown }).toJS());
}

describe("the Talos rule in the checkout (hazards H4, F44)", () => {
  it("is put at the end, and every other byte stays", () => {
    const text = talosEdit(EXISTING, options);
    assert.ok(text.startsWith(EXISTING));
    assert.deepEqual(documents(text).slice(2), [networkRule(options.nodeSubnets)]);
  });

  it("is the whole of an empty file, or of one with comments only", () => {
    assert.deepEqual(documents(talosEdit("", options)), [networkRule(options.nodeSubnets)]);
    assert.deepEqual(documents(talosEdit("# ours\n", options)), [networkRule(options.nodeSubnets)]);
  });

  it("stays as it is the second time", () => {
    const once = talosEdit(EXISTING, options);
    assert.equal(talosEdit(once, options), once);
  });

  it("is set right where it stands when the subnets differ", () => {
    const once =
      talosEdit(EXISTING, options) + "---\n# last\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\n";
    const other = { ...options, nodeSubnets: ["10.1.0.0/16", "fd00::/64"] };
    const twice = talosEdit(once, other);
    assert.deepEqual(documents(twice)[2], networkRule(other.nodeSubnets));
    assert.deepEqual(documents(twice)[3], { apiVersion: "v1alpha1", kind: "WatchdogTimerConfig" });
    assert.ok(twice.startsWith(EXISTING) && twice.includes("# last\n"));
    assert.equal(talosEdit(twice, other), twice);
  });

  it("is refused where nothing is blocked by default: there it would close the ports (F46)", () => {
    const accept = EXISTING.replace("ingress: block # by default", "ingress: accept");
    assert.throws(
      () => talosEdit(accept, options),
      (error: unknown) => {
        assert.ok(error instanceof LandRefusal);
        assert.match(error.message, /^talos\/patch\.yaml:\d+: found NetworkDefaultActionConfig without/);
        return true;
      },
    );
  });

  it("is refused when it stands there twice, or the file does not parse", () => {
    const once = talosEdit(EXISTING, options);
    const twice = `${once}---\n${once.split("---\n").at(-1)}`;
    assert.throws(() => talosEdit(twice, options), /2 times NetworkRuleConfig openbao-raft/);
    assert.throws(() => talosEdit("a: [", options), LandRefusal);
  });
});
