import assert from "node:assert/strict";
import { KubeError } from "../../components/cluster/kubeClient";
import { OpenBaoUnreachable } from "../../components/cluster/openBaoClient";
import { Refused, runBeats } from "../../components/steps/runStep";
import { init } from "../../components/steps/scripts/init";
import { provenSink } from "../../components/cluster/keySink";
import { base64, CLAIM, EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { FakeKube } from "../support/fakeKube";

const ESCROW = "openbao-unseal-before-reseed";

describe("step init of a reseed: once, whatever happens", () => {
  let empty: EmptyStoreWorld;
  beforeEach(async () => (empty = await new EmptyStoreWorld("reseed").ready()));
  afterEach(() => empty.remove());

  const run = () => runBeats(init, empty.context);
  const secrets = () =>
    empty.world.kube.writes.filter(
      ({ path, query }) => path.includes("/secrets") && query?.["dryRun"] === undefined,
    );

  async function refuses(hazard: string, text?: RegExp): Promise<void> {
    await assert.rejects(run(), (error: unknown) => {
      assert.equal(error instanceof Refused, true, String(error));
      assert.equal((error as Refused).hazard, hazard, String(error));
      if (text !== undefined) assert.match(String(error), text);
      return true;
    });
  }

  it("puts the new keys into the key Secret, and keeps the old ones in an immutable one of their own", async () => {
    const old = empty.stored("unseal-key");
    await run();
    assert.equal(empty.stored("unseal-key"), "made-key-1");
    assert.equal(empty.stored("root-token"), "made-token-1");
    assert.equal(empty.stored("unseal-key", ESCROW), old);
    const escrow = empty.world.kube.peek(`/api/v1/namespaces/openbao/secrets/${ESCROW}`) as object;
    assert.equal((escrow as { immutable?: boolean }).immutable, true);
    assert.equal(empty.server.sealed, false);
    assert.equal(empty.claim?.["state"], "kept");
  });

  it("finds itself done when it runs again: one init, one write of keys", async () => {
    await run();
    const writes = secrets().length;
    assert.equal((await run()).result, "already-done");
    assert.equal(empty.server.inits, 1);
    assert.equal(secrets().length, writes);
  });

  it("proves that the Secret can be written before it calls init (I29)", async () => {
    empty.world.kube.answer("mergePatch", KEY_SECRET, (path, query) => {
      if (query["dryRun"] === undefined) return undefined;
      throw new Error(`${path}: forbidden`);
    });
    await assert.rejects(run(), /forbidden/);
    assert.equal(empty.server.inits, 0);
  });

  it("keeps the old keys before it makes room (O3): no time at which they are nowhere", async () => {
    empty.world.kube.fail("create", /secrets$/, 403);
    await assert.rejects(run());
    assert.notEqual(empty.stored("unseal-key"), "REPLACE_AFTER_INIT");
    assert.equal(empty.server.inits, 0);
  });

  it("another Secret of that name holds other keys: refused, nothing is written over (F26)", async () => {
    empty.world.kube.put(`/api/v1/namespaces/openbao/secrets/${ESCROW}`, {
      data: { "unseal-key": base64("x"), "root-token": base64("y") },
    });
    await refuses("F26", /holds other keys/);
    assert.equal(empty.server.inits, 0);
  });

  it("a lost reply of init is never followed by a second one: it holds and says what to do (F15)", async () => {
    empty.server.after.push((name) => {
      if (name === "PUT /v1/sys/init") throw new OpenBaoUnreachable("cut");
    });
    await refuses("F15", /rm -rf \/openbao\/data\/vault\.db/);
    await refuses("F15", /shut for ever/);
    assert.equal(empty.server.inits, 1);
    assert.equal(empty.wipes, 0);
    // The text was followed by hand: the empty store is gone, and the next run ends well.
    empty.server.after.length = 0;
    empty.server.store = undefined;
    await run();
    assert.equal(empty.stored("unseal-key"), "made-key-2");
  });

  it("died between init and the write: the next run holds, and does not init again (F13, F15)", async () => {
    empty.server.after.push((name) => {
      if (name === "PUT /v1/sys/init") throw new Error("killed here");
    });
    await assert.rejects(run(), /killed here/);
    await refuses("F15");
    assert.equal(empty.server.inits, 1);
  });

  it("the reply of the write is lost: what is stored counts (F13)", async () => {
    let lost = false;
    empty.world.kube.onWrite(({ path, query, body }) => {
      const keys = (body as { data?: Record<string, string> } | undefined)?.data;
      const wrote = path === KEY_SECRET && query?.["dryRun"] === undefined;
      if (!wrote || lost || keys?.["unseal-key"] !== base64("made-key-1")) return;
      lost = true;
      throw new KubeError("reset", 0, "Reset");
    });
    await run();
    assert.equal(empty.stored("unseal-key"), "made-key-1");
    assert.equal(empty.server.inits, 1);
  });

  it("somebody fills the Secret after the init: not written over, the keys go beside it (I2, F26)", async () => {
    empty.server.after.push((name) => {
      if (name !== "PUT /v1/sys/init") return;
      empty.world.kube.put(KEY_SECRET, {
        data: { "unseal-key": base64("theirs"), "root-token": base64("theirs") },
      });
    });
    await refuses("F26", /new keys are in Secret "openbao-unseal-init-/);
    assert.equal(empty.stored("unseal-key"), "theirs");
    const saved = empty.world.kube.writes
      .filter(({ verb, path }) => verb === "create" && path.endsWith("/secrets"))
      .map(({ body }) => body as { metadata: { name: string } })
      .at(-1)!;
    assert.equal(empty.stored("unseal-key", saved.metadata.name), "made-key-1");
  });

  it("a vault-config Job initialises the empty server first: refused (F57)", async () => {
    empty.server.store = { key: "theirs", token: "theirs", clusterId: "theirs" };
    await refuses("F57");
    assert.equal(empty.server.inits, 0);
  });

  it("two runs from two backends: one init (F8)", async () => {
    const other = { ...empty.context, fence: { ...empty.context.fence, holder: "other" } };
    await Promise.allSettled([run(), runBeats(init, other)]);
    const asked = empty.server.requests.filter((request) => request === "PUT /v1/sys/init");
    assert.deepEqual([asked.length, empty.server.inits], [1, 1]);
    assert.equal(empty.stored("unseal-key"), "made-key-1");
  });

  it("lost Pulumi state and a lost journal entry: the claim and the store tell (F5)", async () => {
    await run();
    empty.world.kube.drop("/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-journal");
    await empty.ready();
    await run();
    assert.equal(empty.server.inits, 1);
    assert.equal(empty.world.kube.peek<{ data: { state: string } }>(CLAIM)?.data.state, "kept");
  });
});

describe("the place for new keys (hazards I2, F25)", () => {
  const REF = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
  const keys = { unsealKey: "new-key", rootToken: "new-token" };

  it("is refused when it holds either key, whatever the other is", async () => {
    for (const data of [
      { "unseal-key": base64("old"), "root-token": base64("REPLACE_AFTER_INIT") },
      { "unseal-key": base64(""), "root-token": base64("old") },
    ]) {
      const kube = new FakeKube().put(KEY_SECRET, { data });
      await assert.rejects(provenSink(kube, "openbao", REF), /holds a key already/);
      assert.deepEqual(kube.writes, []);
    }
  });

  it("is made when it is not there, and filled when it holds placeholders", async () => {
    const placeholder = base64("REPLACE_AFTER_INIT");
    for (const kube of [
      new FakeKube(),
      new FakeKube().put(KEY_SECRET, { data: { "unseal-key": placeholder, "root-token": placeholder } }),
    ]) {
      await (
        await provenSink(kube, "openbao", REF)
      )(keys);
      assert.equal(
        kube.peek<{ data: Record<string, string> }>(KEY_SECRET)?.data["unseal-key"],
        base64("new-key"),
      );
    }
  });

  it("gives no key to a dry run", async () => {
    const kube = new FakeKube();
    await provenSink(kube, "openbao", REF);
    assert.equal(kube.peek(KEY_SECRET), undefined);
    assert.equal(
      kube.writes.every(({ query }) => query?.["dryRun"] === "All"),
      true,
    );
  });
});
