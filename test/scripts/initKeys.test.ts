import assert from "node:assert/strict";
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { provenSink } from "../../components/cluster/keySink";
import { KubeError } from "../../components/cluster/kubeClient";
import { UnexpectedReply } from "../../components/cluster/openBaoStatus";
import { Refused, runBeats } from "../../components/steps/runStep";
import { init } from "../../components/steps/scripts/init";
import { base64, CLAIM, EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { FakeKube } from "../support/fakeKube";

describe("step init keeps the only copy of the new keys (F15)", () => {
  let empty: EmptyStoreWorld;
  beforeEach(async () => (empty = await new EmptyStoreWorld("reseed").ready()));
  afterEach(() => empty.remove());

  const run = () => runBeats(init, empty.context);
  const killed = { is: true };

  /** The keys of one init are in the Secret; the run died before it gave them, and the server is sealed. */
  async function storedAndSealed(): Promise<void> {
    killed.is = true;
    empty.server.before.push((name) => {
      if (name === "PUT /v1/sys/unseal" && killed.is) throw new Error("killed here");
    });
    await assert.rejects(run(), /killed here|to be unsealed/);
    killed.is = false;
    assert.equal(empty.stored("unseal-key"), "made-key-1");
  }

  it("they are in the Secret before the claim moves: a claim that cannot be written costs no key", async () => {
    let fails = true;
    empty.world.kube.answer("mergePatch", CLAIM, () => {
      if (fails) throw new KubeError("no answer", 0, "Reset");
      return undefined;
    });
    await assert.rejects(run(), /no answer/);
    assert.equal(empty.stored("unseal-key"), "made-key-1");
    assert.equal(empty.stored("root-token"), "made-token-1");
    fails = false;
    assert.equal((await run()).result, "done");
    assert.equal(empty.server.inits, 1);
    assert.equal(empty.claim?.["state"], "kept");
  });

  it("an unseal that meets the user's hook is no lost key (HTTP 500)", async () => {
    await storedAndSealed();
    let met = 0;
    empty.server.before.push((name) => {
      if (name !== "PUT /v1/sys/unseal") return;
      met++;
      empty.server.sealed = false;
      throw new UnexpectedReply("invalid key size 0", 500);
    });
    assert.equal((await run()).result, "done");
    assert.equal(met, 1);
  });

  it("a server that stays sealed for another reason sends nobody to take the store away", async () => {
    await storedAndSealed();
    killed.is = true;
    await assert.rejects(run(), (error: unknown) => {
      assert.ok(error instanceof KubeError && error.reason === "Timeout", String(error));
      return true;
    });
  });

  it("a token that the server cannot look up just now is no lost token", async () => {
    await storedAndSealed();
    empty.server.before.push((name) => {
      if (name === "GET /v1/auth/token/lookup-self") throw new UnexpectedReply("HTTP 500", 500);
    });
    await assert.rejects(run(), UnexpectedReply);
  });

  it("a key that the server itself calls wrong is told as lost", async () => {
    await storedAndSealed();
    empty.world.kube.put(KEY_SECRET, {
      data: { "unseal-key": base64("of-another-time"), "root-token": base64("t") },
    });
    await assert.rejects(run(), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F15", String(error));
      return true;
    });
  });
});

describe("the write of new keys while the API server is away (F11)", () => {
  const REF = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
  const keys = { unsealKey: "new-key", rootToken: "new-token" };
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() }));
  afterEach(() => mock.timers.reset());

  /** Writes the keys while no connection to the API server can be made for so many seconds; time runs by itself. */
  async function writeAfter(kube: FakeKube, seconds: number): Promise<void> {
    const write = await provenSink(kube, "openbao", REF);
    const back = Date.now() + seconds * 1000;
    kube.answer("*", /\/secrets/, () => {
      if (Date.now() < back) throw new KubeError("connect ECONNREFUSED", 0, "ECONNREFUSED");
      return undefined;
    });
    let over = false;
    const writing = write(keys).finally(() => (over = true));
    writing.catch(() => undefined);
    while (!over) {
      await turn();
      mock.timers.tick(500);
    }
    return writing;
  }

  it("is tried again for longer than such a server is away", async () => {
    const kube = new FakeKube();
    await writeAfter(kube, 60);
    const stored = kube.peek<{ data: Record<string, string> }>(KEY_SECRET);
    assert.equal(stored?.data["unseal-key"], base64("new-key"));
    assert.equal(stored?.data["root-token"], base64("new-token"));
  });

  it("ends, and says so, when the server does not come back", async () => {
    await assert.rejects(writeAfter(new FakeKube(), Infinity), /the new keys are lost/);
  });
});
