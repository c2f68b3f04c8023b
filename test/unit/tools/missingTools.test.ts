import assert from "node:assert/strict";
import { impossibleMessage } from "../../../rehearsal/tools/tools";
import { partOf, toolList } from "../../../rehearsal/tools/toolList";

describe("what cannot be made on a machine", () => {
  it("is listed whole, each with its reason, and with the way to an own cluster", () => {
    const message =
      impossibleMessage([partOf("bao"), partOf("etcd")], { go: "no Go", debian: "no root" }) ?? "";
    assert.match(message, /^2 tool part\(s\) are missing/);
    assert.match(message, /openbao 2\.4\.x \(bao\): no Go/);
    assert.match(message, /etcd-server .*\(package etcd-server\): no root/);
    assert.match(message, /kind, k3d or Talos/);
    assert.match(message, /--context NAME/);
  });

  it("is nothing when only parts are missing that can be made", () => {
    assert.equal(impossibleMessage([partOf("bao")], { debian: "no root" }), undefined);
  });

  it("is everything on another system", () => {
    const message = impossibleMessage(toolList, { platform: "this system is darwin" }) ?? "";
    assert.match(message, new RegExp(`^${toolList.length} tool part`));
  });
});
