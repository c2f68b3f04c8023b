import assert from "node:assert/strict";
import { OpenBaoUnreachable, type OpenBao, type OpenBaoReply } from "../../components/cluster/openBaoClient";
import { opensByItself, startedTwice } from "../../components/steps/oneUnseal";
import type { StepContext } from "../../components/steps/runStep";
import { follower } from "../../components/steps/scripts/follower";
import { unsealPod } from "../../components/steps/unsealing";
import { fakeServer } from "../support/fakeOpenBao";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const LOG = "/api/v1/namespaces/openbao/pods/openbao-1/log";
const START = "2026-01-01T00:00:00.000Z [INFO]  core: entering standby mode\n";

/** A follower that joins: its own hook opens it after `opensAfter` looks; keys are counted. */
function joining(opensAfter: number, reply: () => Promise<OpenBaoReply> = ok) {
  let looks = 0;
  let keys = 0;
  const world = new StepWorld("follower-1");
  const bao: OpenBao = {
    where: "openbao-1",
    close: () => undefined,
    request: (method, path): Promise<OpenBaoReply> => {
      if (path === "/v1/sys/unseal") {
        keys += 1;
        return reply();
      }
      const seal = { ...fakeServer("raft", "t").seal, sealed: ++looks <= opensAfter };
      return Promise.resolve({ status: method === "GET" ? 200 : 405, body: seal });
    },
  };
  return { ctx: { ...world.context, bao: () => bao } as StepContext, keys: () => keys };
}

function ok(): Promise<OpenBaoReply> {
  return Promise.resolve({ status: 200, body: {} });
}

describe("a follower that joins is given one key (hazards I3, F70): with two it would lead and hand nothing over", () => {
  it("is not given one that its hook has given already, and that works off", async () => {
    const { ctx, keys } = joining(2);
    assert.equal(await opensByItself(ctx, "openbao-1", 5), true);
    assert.equal(keys(), 0);
  });

  it("is told apart from one that nobody opens", async () => {
    assert.equal(await opensByItself(joining(1_000_000).ctx, "openbao-1", 0), false);
  });

  const replies: Record<string, () => Promise<OpenBaoReply>> = {
    "takes it and is sealed still": ok,
    "loses the reply, which says nothing": () => Promise.reject(new OpenBaoUnreachable("cut")),
    "meets the hook's key in the middle": () => Promise.resolve({ status: 500, body: {} }),
  };
  for (const [title, reply] of Object.entries(replies))
    it(`is given no second one while it ${title}`, async () => {
      const { ctx, keys } = joining(4, reply);
      await unsealPod(ctx, "openbao-1", 30);
      assert.equal(keys(), 1);
    });

  it("is given it again after the bound", async () => {
    const { ctx, keys } = joining(4);
    await unsealPod(ctx, "openbao-1", 0.3);
    assert.ok(keys() > 1, `${keys()} key(s)`);
  });

  it("shows a second start in its log, and one start is none", async () => {
    const world = new StepWorld("follower-1");
    world.kube.answer("text", LOG, () => START);
    assert.equal(await startedTwice(world.context, "openbao-1", 0), false);
    world.kube.answer("text", LOG, () => START + START);
    assert.equal(await startedTwice(world.context, "openbao-1", 0), true);
  });

  for (const [title, voter, replaced] of [
    ["is replaced, by its uid, while it has no vote: no write is lost", false, 1],
    ["is left alone once it has a vote: two voters need both", true, 0],
  ] as const)
    it(`with two starts ${title}`, async () => {
      const world = twoPods(voter);
      const removed: unknown[] = [];
      const remove = world.kube.remove.bind(world.kube);
      world.kube.remove = async (path, body) => {
        removed.push(body);
        await remove(path, body);
        world.kube.answer("text", LOG, () => START);
        putPod(world, "uid-new");
        vote(world, true);
      };
      await follower.act(world.context);
      assert.equal(removed.length, replaced);
      if (replaced === 1) assert.deepEqual(removed, [{ preconditions: { uid: "uid-1" } }]);
    });
});

function putPod(world: StepWorld, uid: string): void {
  world.kube.put("/api/v1/namespaces/openbao/pods/openbao-1", {
    metadata: { name: "openbao-1", namespace: "openbao", uid, labels: {} },
    spec: { nodeName: "node-2" },
    status: { phase: "Running" },
  });
}

function vote(world: StepWorld, voter: boolean): void {
  world.servers["openbao-0"]!.peers = [
    { node_id: "openbao-0", address: "openbao-0:8201", leader: true, voter: true },
    { node_id: "openbao-1", address: "openbao-1:8201", leader: false, voter },
  ];
}

/** openbao-1 has joined, is open, and has started twice. */
function twoPods(voter: boolean): StepWorld {
  const world = new StepWorld("follower-1").release(RAFT_VALUES, true).onRaft().statefulSet(2);
  world.servers["openbao-1"] = { ...fakeServer("raft", "test-token"), isLeader: false, health: 429 };
  putPod(world, "uid-1");
  vote(world, voter);
  world.kube.answer("text", LOG, () => START + START);
  return world;
}
