import assert from "node:assert/strict";
import { applyReplicas } from "../../components/steps/scripts/applyReplicas";
import { StepWorld } from "../support/stepContext";

const BUDGETS = "/apis/policy/v1/namespaces/openbao/poddisruptionbudgets";
const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
const LABELS = { "app.kubernetes.io/name": "openbao", component: "server" };

/** Three voters, and the budgets that select their pods. */
function threeVoters(...budgets: readonly (readonly [name: string, spec: object])[]): StepWorld {
  const world = new StepWorld("apply-replicas").onRaft();
  world.kube.put(STATEFUL_SET, {
    metadata: { name: "openbao", namespace: "openbao" },
    spec: { replicas: 3, template: { metadata: { labels: LABELS } } },
  });
  world.servers["openbao-0"]!.peers = [0, 1, 2].map((n) => ({
    node_id: `openbao-${n}`,
    address: `openbao-${n}.openbao-internal:8201`,
    leader: n === 0,
    voter: true,
  }));
  for (const [name, spec] of budgets) world.kube.put(`${BUDGETS}/${name}`, { metadata: { name }, spec });
  return world;
}

const mine = (more: object = {}) => ({ selector: { matchLabels: { component: "server" } }, ...more });
const others = { selector: { matchLabels: { component: "webhook" } } };

describe("step apply-replicas asks for one disruption budget on the server's pods (hazards I37, I36)", () => {
  it("is done with the chart's", async () => {
    const { context } = threeVoters(["openbao", mine({ maxUnavailable: 1 })], ["injector", others]);
    const observed = await applyReplicas.verify(context);
    assert.equal(observed["podDisruptionBudget"], "openbao: maxUnavailable 1");
  });

  it("is not done with two, whose pods nothing could evict, and names both", async () => {
    const { context } = threeVoters(["openbao", mine({ maxUnavailable: 1 })], ["own", mine()]);
    await assert.rejects(
      applyReplicas.verify(context),
      /2 PodDisruptionBudgets select the server's pods \(openbao, own\), expected one \[I37\]/,
    );
  });

  it("is not done with a second whose empty selector takes in every pod", async () => {
    const every = { selector: {}, minAvailable: 1 };
    const world = threeVoters(["openbao", mine({ maxUnavailable: 1 })], ["every", every]);
    await assert.rejects(applyReplicas.verify(world.context), /\(openbao, every\), expected one \[I37\]/);
  });

  it("is not done with none: a drain could take two voters", async () =>
    assert.rejects(applyReplicas.verify(threeVoters(["injector", others]).context), /0 Pod.*\[I37\]/));

  for (const maxUnavailable of [0, 2])
    it(`is not done with one that lets ${maxUnavailable} go`, async () => {
      const { context } = threeVoters(["openbao", mine({ maxUnavailable })]);
      await assert.rejects(applyReplicas.verify(context), /expected 1 to 1 \[I36\]/);
    });
});
