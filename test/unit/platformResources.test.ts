import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { OpenBaoAlerts } from "../../components/openBaoAlerts";
import { RaftCiliumPolicy } from "../../components/raftCiliumPolicy";
import { RaftNetworkPolicy } from "../../components/raftNetworkPolicy";
import { recordResources } from "../support/recordResources";

interface Made {
  readonly type: string;
  readonly inputs: { metadata?: { name?: string; namespace?: string; labels?: object } };
}

/** Everything that `make` registers, but the component itself. */
async function made(make: () => pulumi.ComponentResource): Promise<Made[]> {
  const seen: Made[] = [];
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      seen.push({ type, inputs: inputs as Made["inputs"] });
      return { id: name, state: inputs as object };
    },
    call: () => {
      throw new Error("no invoke is expected");
    },
  });
  const component = make();
  await new Promise<void>((resolve) => component.urn.apply(() => resolve()));
  await pulumi.runtime.disconnect();
  return seen.filter(({ type }) => type.startsWith("kubernetes:"));
}

const where = { namespace: "vault", release: "bao" };

describe("resources in other projects' kinds", () => {
  it("is one CiliumNetworkPolicy in the server's namespace", async () => {
    const [policy, ...more] = await made(
      () => new RaftCiliumPolicy("x", { ...where, directions: ["Ingress"] }),
    );
    assert.deepEqual(more, []);
    assert.equal(policy?.type, "kubernetes:cilium.io/v2:CiliumNetworkPolicy");
    assert.deepEqual(
      [policy?.inputs.metadata?.name, policy?.inputs.metadata?.namespace],
      ["openbao-raft", "vault"],
    );
  });

  it("outlives the stack, as the NetworkPolicy does: running Raft nodes need the ports (H4)", async () => {
    for (const Policy of [RaftCiliumPolicy, RaftNetworkPolicy]) {
      const seen = await recordResources(false, () => new Policy("x", { ...where, directions: ["Egress"] }));
      assert.deepEqual(
        seen.map(({ retainOnDelete }) => retainOnDelete),
        [false, true],
      );
    }
  });

  it("is none where Cilium restricts nothing, so that no CRD is needed", async () => {
    assert.deepEqual(await made(() => new RaftCiliumPolicy("x", { ...where, directions: [] })), []);
  });

  it("is one PrometheusRule with the configured labels", async () => {
    const args = { ...where, replicas: 3, labels: { release: "kube-prometheus" } };
    const [rule, ...more] = await made(() => new OpenBaoAlerts("x", args));
    assert.deepEqual(more, []);
    assert.equal(rule?.type, "kubernetes:monitoring.coreos.com/v1:PrometheusRule");
    assert.deepEqual(rule?.inputs.metadata?.labels, {
      "app.kubernetes.io/managed-by": "openbao-raft-migration",
      release: "kube-prometheus",
    });
  });
});
