import assert from "node:assert/strict";
import {
  NoAnswer,
  OpenBaoUnreachable,
  type OpenBao,
  type OpenBaoReply,
} from "../../components/cluster/openBaoClient";
import { Refused, type StepContext } from "../../components/steps/runStep";
import { unsealPod } from "../../components/steps/unsealing";
import { observeWorld } from "../../components/steps/world";
import { StepWorld } from "../support/stepContext";

/** A sealed server that answers each key with the next of `replies`; `opensAt` says at which call it is open. */
function sealedServer(
  replies: readonly number[],
  opensAt: number,
): { ctx: StepContext; calls: () => number; asked: ReadonlySet<string> } {
  let calls = 0;
  const world = new StepWorld("unseal-0").onRaft({ sealed: true });
  const bao: OpenBao = {
    where: "openbao-0",
    close: () => undefined,
    request: (method, path): Promise<OpenBaoReply> => {
      if (path === "/v1/sys/unseal") {
        const status = replies[Math.min(calls, replies.length - 1)]!;
        calls += 1;
        return Promise.resolve({ status, body: { errors: ["invalid key size 0"] } });
      }
      const seal = { ...world.servers["openbao-0"]!.seal, sealed: calls < opensAt };
      return Promise.resolve({ status: method === "GET" ? 200 : 405, body: seal });
    },
  };
  const asked = new Set<string>();
  const named = (pod: string): OpenBao => {
    asked.add(pod);
    return bao;
  };
  return { ctx: { ...world.context, bao: named }, calls: () => calls, asked };
}

describe("unsealing a pod", () => {
  it("takes an open server for success, though the call lost a race with the hook and failed", async () => {
    const { ctx, calls } = sealedServer([500], 1);
    await unsealPod(ctx, "openbao-0");
    assert.equal(calls(), 1);
  });

  it("gives the key to that pod by its own name, never to the Service (I3)", async () => {
    const { ctx, asked } = sealedServer([200], 1);
    await unsealPod(ctx, "openbao-0");
    assert.deepEqual([...asked], ["openbao-0"]);
  });

  it("gives the key again while the server is sealed", async () => {
    const { ctx, calls } = sealedServer([500, 200], 2);
    await unsealPod(ctx, "openbao-0");
    assert.equal(calls(), 2);
  });

  it("refuses a key that the server calls wrong, and says that nothing is lost (hazard F24)", async () => {
    const { ctx, calls } = sealedServer([400], 99);
    await assert.rejects(unsealPod(ctx, "openbao-0"), (error: unknown) => {
      assert.equal((error as Refused).hazard, "F24");
      assert.match((error as Error).message, /does not open openbao-0.*Nothing is lost/);
      return true;
    });
    assert.equal(calls(), 3);
  });

  it("stops when the Lease is lost, with no key given (hazard F10)", async () => {
    const { ctx, calls } = sealedServer([200], 1);
    const fence = { ...ctx.fence, assertHeld: () => Promise.reject(new Error("the Lease is lost")) };
    await assert.rejects(unsealPod({ ...ctx, fence }, "openbao-0"), /Lease is lost/);
    assert.equal(calls(), 0);
  });
});

describe("a pod whose postStart hook still waits (phase Pending)", () => {
  const POD = "/api/v1/namespaces/openbao/pods/openbao-0";

  it("is asked already: a port-forward reaches the server before the kubelet says Running", async () => {
    const world = new StepWorld("unseal-0").onRaft({ sealed: true });
    world.kube.put(POD, {
      metadata: { uid: "u" },
      spec: { nodeName: "node-1" },
      status: { phase: "Pending" },
    });
    assert.equal((await observeWorld(world.context)).moved, true);
  });

  it("is not asked while it has no node, or while it goes away", async () => {
    const world = new StepWorld("unseal-0").onRaft();
    world.kube.put(POD, { metadata: { uid: "u" }, spec: {}, status: { phase: "Pending" } });
    assert.equal((await observeWorld(world.context)).status0, undefined);
    world.kube.put(POD, {
      metadata: { uid: "u", deletionTimestamp: "2026-01-01T00:00:00Z" },
      spec: { nodeName: "node-1" },
      status: { phase: "Running" },
    });
    assert.equal((await observeWorld(world.context)).status0, undefined);
  });
});

describe("a look at openbao-0", () => {
  /** Fails the first `silent` calls with `cause`, then answers. */
  function lateServer(silent: number, cause: Error): { ctx: StepContext; calls: () => number } {
    let calls = 0;
    const world = new StepWorld("unseal-0").onRaft({ sealed: false });
    const bao: OpenBao = {
      where: "openbao-0",
      close: () => undefined,
      request: (): Promise<OpenBaoReply> => {
        calls += 1;
        if (calls <= silent) return Promise.reject(new OpenBaoUnreachable("no reply", { cause }));
        return Promise.resolve({ status: 200, body: world.servers["openbao-0"]!.seal });
      },
    };
    return { ctx: { ...world.context, bao: () => bao }, calls: () => calls };
  }

  it("asks a silent server again: it may be opening its store (hazard I3)", async () => {
    const { ctx, calls } = lateServer(2, new NoAnswer("no answer within 5000 ms"));
    const { status0, moved } = await observeWorld(ctx);
    assert.deepEqual([status0?.storageType, moved, calls()], ["raft", true, 3]);
  });

  it("takes a refused connection for nobody there, at once", async () => {
    const { ctx, calls } = lateServer(1, new Error("connection refused"));
    assert.deepEqual([(await observeWorld(ctx)).status0, calls()], [undefined, 1]);
  });

  it("takes a server that stays silent for nobody there, after its bound", async () => {
    const { ctx } = lateServer(1_000_000, new NoAnswer("no answer within 5000 ms"));
    assert.equal(
      (await observeWorld({ ...ctx, input: { ...ctx.input, podTimeoutSeconds: 0.02 } })).status0,
      undefined,
    );
  });
});
