import assert from "node:assert/strict";
import { failoverDrill } from "../../components/steps/scripts/failoverDrill";
import type { OpenBao } from "../../components/cluster/openBaoClient";
import { Refused } from "../../components/steps/runStep";
import { fakeServer, type FakePeer } from "../support/fakeOpenBao";
import { StepWorld } from "../support/stepContext";

const PODS = ["openbao-0", "openbao-1", "openbao-2"];

/** Three nodes under openbao-1; each step-down is followed by an election that the next of `winners` wins. */
function cluster(...winners: string[]) {
  const world = new StepWorld("failover-drill").statefulSet(3);
  const { servers, context } = world;
  const peers: FakePeer[] = PODS.map((pod) => ({ node_id: pod, address: pod, leader: false, voter: true }));
  for (const pod of PODS)
    servers[pod] = { ...fakeServer("raft", "test-token"), isLeader: pod === "openbao-1", peers };
  const asked: string[] = [];
  const { bao } = context;
  const withStepDown = (pod: string): OpenBao => ({
    where: pod,
    close: () => undefined,
    request: (method, path, call) => {
      if (path !== "/v1/sys/step-down") return bao(pod).request(method, path, call);
      asked.push(pod);
      servers[pod]!.isLeader = false;
      setTimeout(() => (servers[winners[asked.length - 1] ?? pod]!.isLeader = true), 300);
      return Promise.resolve({ status: 204, body: {} });
    },
  });
  return { context: { ...context, bao: withStepDown }, asked, kube: world.kube };
}

describe("the failover drill (F70)", () => {
  it("ends when another node leads", async () => {
    const { context, asked } = cluster("openbao-2");
    await failoverDrill.act(context);
    assert.deepEqual(asked, ["openbao-1"]);
    const { from, to, attempts } = await failoverDrill.verify(context);
    assert.deepEqual([from, to, attempts], ["openbao-1", "openbao-2", 1]);
  });

  it("asks again when the same node is elected again, as after a run that was killed in the drill", async () => {
    const { context, asked } = cluster("openbao-1", "openbao-0");
    await failoverDrill.act(context);
    assert.deepEqual(asked, ["openbao-1", "openbao-1"]);
    const { to, attempts } = await failoverDrill.verify(context);
    assert.deepEqual([to, attempts], ["openbao-0", 2]);
  });

  it("refuses when no other node ever takes over", async () => {
    const { context, asked } = cluster();
    await assert.rejects(Promise.resolve(failoverDrill.act(context)), (error: unknown) => {
      assert.ok(error instanceof Refused, String(error));
      assert.match(error.message, /3 times the leader was asked to step down, and openbao-1 leads again/);
      return true;
    });
    assert.equal(asked.length, 3);
  });

  it("names a leader that started to serve twice, and how to restart it: it never steps down", async () => {
    const { context, kube } = cluster();
    const start = "core: entering standby mode\n";
    kube.answer("text", "/api/v1/namespaces/openbao/pods/openbao-1/log", () => start + start);
    await assert.rejects(
      Promise.resolve(failoverDrill.act(context)),
      /kubectl -n openbao delete pod openbao-1/,
    );
  });
});
