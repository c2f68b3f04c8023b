import assert from "node:assert/strict";
import { parse } from "yaml";
import { Refused, runBeats, type StepContext } from "../../components/steps/runStep";
import { talosFirewall } from "../../components/steps/scripts/talosFirewall";
import { FakeTalosctl, type FakeNode } from "../support/fakeTalosctl";
import { StepWorld } from "../support/stepContext";

const SUBNETS = ["10.0.0.0/24", "fd00::/64"];
const CLOSED: FakeNode = { policy: "drop", subnets: [] };

describe("step talos-firewall, with a fake talosctl (hazards H4, F44)", () => {
  let talosctl: FakeTalosctl;
  afterEach(() => talosctl.remove());

  function world(nodes: Readonly<Record<string, FakeNode>>): StepContext {
    talosctl = new FakeTalosctl(nodes, SUBNETS);
    const { context } = new StepWorld("talos-firewall");
    const talos = { nodeSubnets: SUBNETS, nodes: Object.keys(nodes) };
    return { ...context, input: { ...context.input, talos } };
  }

  it("opens both ports on each node that blocks, without a reboot, and finds itself done afterwards", async () => {
    const context = world({ "10.0.0.1": CLOSED, "10.0.0.2": CLOSED });
    const { result, observed } = await runBeats(talosFirewall, context);
    assert.equal(result, "done");
    assert.deepEqual(observed, { firewalls: { "10.0.0.1": "open", "10.0.0.2": "open" } });
    assert.deepEqual(talosctl.patched(), ["10.0.0.1", "10.0.0.2"]);
    for (const call of talosctl.calls().filter((one) => one[2] === "patch"))
      assert.deepEqual(call.slice(2, 6), ["patch", "machineconfig", "--mode", "no-reboot"]);
    assert.deepEqual(parse(talosctl.patch()), {
      apiVersion: "v1alpha1",
      kind: "NetworkRuleConfig",
      name: "openbao-raft",
      portSelector: { ports: [8200, 8201], protocol: "tcp" },
      ingress: SUBNETS.map((subnet) => ({ subnet })),
    });
    assert.equal((await runBeats(talosFirewall, context)).result, "already-done");
    assert.equal(talosctl.patched().length, 2);
  });

  it("goes on where a run died between two nodes", async () => {
    const context = world({ a: { policy: "drop", subnets: SUBNETS }, b: CLOSED });
    assert.equal((await runBeats(talosFirewall, context)).result, "done");
    assert.deepEqual(talosctl.patched(), ["b"]);
  });

  it("patches a node whose rule lacks one of the subnets", async () => {
    const context = world({ a: { policy: "drop", subnets: [SUBNETS[0]!] } });
    assert.equal((await runBeats(talosFirewall, context)).result, "done");
  });

  for (const policy of ["accept", "off"] as const) {
    it(`leaves a node alone whose firewall is ${policy}: a rule would close ports there (F46)`, async () => {
      const context = world({ a: { policy, subnets: [] } });
      const { result, observed } = await runBeats(talosFirewall, context);
      assert.deepEqual([result, observed], ["already-done", { firewalls: { a: "accepts" } }]);
      assert.deepEqual(talosctl.patched(), []);
    });
  }

  async function refusal(context: StepContext): Promise<string> {
    const error: unknown = await runBeats(talosFirewall, context).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Refused, String(error));
    return error.message;
  }

  it("patches no node when one would not take the rule, and quotes no machine config", async () => {
    const context = world({ a: CLOSED, b: { ...CLOSED, refuses: "this change needs a reboot" } });
    const message = await refusal(context);
    assert.match(message, /patch machineconfig on node b: this change needs a reboot \(exit 1\).*\[F44\]/);
    assert.doesNotMatch(message, /canary/);
    assert.deepEqual(talosctl.patched(), []);
  });

  it("refuses when a node does not answer", async () => {
    const context = world({ a: CLOSED });
    const input = { ...context.input, talos: { nodeSubnets: SUBNETS, nodes: ["a", "gone"] } };
    assert.match(await refusal({ ...context, input }), /on node gone: rpc error: no such node/);
    assert.deepEqual(talosctl.patched(), []);
  });

  it("names the missing talosctl and the way without it", async () => {
    const context = world({ a: CLOSED });
    process.env["PATH"] = "/nonexistent";
    assert.match(await refusal(context), /no talosctl on PATH; install it, or leave talos\.nodes empty/);
  });

  it("stops before the first node when the Lease is lost (F10)", async () => {
    const context = world({ a: CLOSED });
    const fence = { ...context.fence, assertHeld: () => Promise.reject(new Error("lost the Lease")) };
    await assert.rejects(talosFirewall.act({ ...context, fence }), /lost the Lease/);
    assert.deepEqual(talosctl.patched(), []);
  });
});
