import assert from "node:assert/strict";
import { ciliumPolicySpec } from "../../components/raftPolicyObjects";
import { restrictedDirections } from "../../components/restrictedDirections";
import { openRaftPorts } from "../../components/gate/raftPorts";
import { standaloneWorld, type World } from "../support/snapshotBuilder";

const CNP = "/apis/cilium.io/v2/namespaces/openbao/ciliumnetworkpolicies";
const WIDE = "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies";
const server = { matchLabels: { "app.kubernetes.io/name": "openbao" } };
const client = [{ fromEndpoints: [{ matchLabels: { app: "client" } }] }];

function withPolicy(spec: object, path = `${CNP}/allow-openbao`): World {
  const world = standaloneWorld();
  world.kube.put(path, { spec });
  return world;
}

async function opened(world: World) {
  return restrictedDirections(await world.snapshot()).cilium;
}

describe("the CiliumNetworkPolicy of stage network", () => {
  it("lets openbao reach openbao on 8200 and 8201, both ways (H4)", () => {
    const peer = {
      matchLabels: { "app.kubernetes.io/name": "openbao", "app.kubernetes.io/instance": "bao" },
    };
    const toPorts = [
      {
        ports: [
          { port: "8200", protocol: "TCP" },
          { port: "8201", protocol: "TCP" },
        ],
      },
    ];
    assert.deepEqual(ciliumPolicySpec("bao", ["Ingress", "Egress"]), {
      endpointSelector: peer,
      ingress: [{ fromEndpoints: [peer], toPorts }],
      egress: [{ toEndpoints: [peer], toPorts }],
    });
  });

  it("has no section for a direction that is free: one rule would make it default-deny (F46)", () => {
    assert.deepEqual(Object.keys(ciliumPolicySpec("bao", ["Ingress"])), ["endpointSelector", "ingress"]);
    assert.deepEqual(Object.keys(ciliumPolicySpec("bao", ["Egress"])), ["endpointSelector", "egress"]);
  });

  it("opens what Cilium policies restrict, beside the NetworkPolicies", async () => {
    const world = withPolicy({ endpointSelector: server, ingress: client });
    assert.deepEqual(restrictedDirections(await world.snapshot()), {
      kubernetes: ["Ingress", "Egress"],
      cilium: ["Ingress"],
    });
  });

  it("opens what a clusterwide policy restricts", async () => {
    const world = withPolicy({ endpointSelector: {}, egressDeny: [{}] }, `${WIDE}/deny`);
    world.kube.serve(CNP);
    assert.deepEqual(await opened(world), ["Egress"]);
  });

  for (const [title, spec] of [
    ["an empty list of rules", { endpointSelector: server, ingress: [], egress: [] }],
    ["enableDefaultDeny: false", deny({ ingress: false }, { ingress: client })],
    ["other pods", { endpointSelector: { matchLabels: { app: "other" } }, ingress: client }],
  ] as const) {
    it(`closes nothing for a policy with ${title}, which isolates no server pod (F46)`, async () => {
      assert.deepEqual(await opened(withPolicy(spec)), []);
    });
  }

  it("opens a direction that enableDefaultDeny closes without a rule", async () => {
    assert.deepEqual(await opened(withPolicy(deny({ egress: true }, { ingress: client }))), [
      "Ingress",
      "Egress",
    ]);
  });

  it("is read back by the gate as open", async () => {
    const world = withPolicy({ endpointSelector: server, ingress: client, egress: [{}] });
    assert.equal(openRaftPorts(await world.snapshot()).closed.filter(ofCilium).length > 0, true);
    world.kube.put(`${CNP}/openbao-raft`, { spec: ciliumPolicySpec("openbao", ["Ingress", "Egress"]) });
    assert.deepEqual(openRaftPorts(await world.snapshot()).closed.filter(ofCilium), []);
  });

  it("does not count itself: removing the user's policies frees both directions again", async () => {
    const spec = ciliumPolicySpec("openbao", ["Ingress", "Egress"]);
    assert.deepEqual(await opened(withPolicy(spec, `${CNP}/openbao-raft`)), []);
  });

  it("is not made where Cilium is not there", async () => {
    assert.deepEqual(await opened(standaloneWorld()), []);
  });
});

function deny(enableDefaultDeny: object, rules: object): object {
  return { endpointSelector: server, enableDefaultDeny, ...rules };
}

function ofCilium(closed: string): boolean {
  return closed.includes("Cilium");
}
