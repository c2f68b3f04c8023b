import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { OpenBaoUnreachable } from "../../components/cluster/openBaoClient";
import { Refused, runBeats } from "../../components/steps/runStep";
import { restore } from "../../components/steps/scripts/restore";
import { base64, CLAIM, EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { packed, snapshotParts } from "../support/snapshotFile";

describe("step restore", () => {
  let empty: EmptyStoreWorld;
  beforeEach(async () => (empty = await new EmptyStoreWorld("restore").ready()));
  afterEach(() => empty.remove());

  const run = () => runBeats(restore, empty.context);

  async function refuses(hazard: string, text?: RegExp): Promise<void> {
    await assert.rejects(run(), (error: unknown) => {
      assert.equal(error instanceof Refused, true, String(error));
      assert.equal((error as Refused).hazard, hazard, String(error));
      if (text !== undefined) assert.match(String(error), text);
      return true;
    });
  }

  /** Dies at the first request or reply that fits, as a lost runner would. */
  function dieAt(when: "before" | "after", request: string): void {
    let died = false;
    empty.server[when].push((name) => {
      if (name !== request || died) return;
      died = true;
      throw new Error("killed here");
    });
  }

  it("ends with the snapshot's cluster, opened by the stored key, after one init; the key Secret was only read (H1)", async () => {
    const before = empty.secretVersion;
    const { observed } = await run();
    assert.equal(observed["clusterId"], "source");
    assert.equal(empty.server.inits, 1);
    assert.equal(empty.wipes, 0);
    assert.equal(empty.secretVersion, before);
    assert.equal(empty.claim?.["state"], "kept");
  });

  it("writes the temporary keys nowhere (H1)", async () => {
    await run();
    const written = JSON.stringify(empty.world.kube.writes);
    for (const secret of ["made-key-1", "made-token-1"])
      for (const form of [secret, base64(secret)]) assert.equal(written.includes(form), false, form);
  });

  it("claims before it calls init (F8, F51)", async () => {
    empty.server.before.push((name) => {
      if (name === "PUT /v1/sys/init") assert.equal(empty.claim?.["state"], "calling");
    });
    await run();
  });

  it("finds itself done when it runs again", async () => {
    await run();
    assert.equal((await run()).result, "already-done");
    assert.equal(empty.server.inits, 1);
  });

  for (const [when, request, inits] of [
    ["before", "PUT /v1/sys/init", 1],
    ["after", "PUT /v1/sys/init", 2],
    ["before", "PUT /v1/sys/unseal", 2],
    ["after", "PUT /v1/sys/unseal", 2],
    ["before", "POST /v1/sys/storage/raft/snapshot-force", 2],
  ] as const) {
    it(`died ${when} ${request}: the next run empties only its own store, and ends equal (F1, F15)`, async () => {
      dieAt(when, request);
      await assert.rejects(run());
      assert.equal((await run()).observed["clusterId"], "source");
      assert.equal(empty.server.inits, inits);
      assert.equal(empty.wipes, inits - 1);
    });
  }

  it("died after the restore: the next run gives the stored key, and takes nothing away (F13, I21)", async () => {
    dieAt("after", "POST /v1/sys/storage/raft/snapshot-force");
    assert.equal((await run()).observed["clusterId"], "source");
    assert.equal(empty.wipes, 0);
  });

  it("died right after the unseal with the stored key: nothing is taken away", async () => {
    let unseals = 0;
    empty.server.after.push((name) => {
      if (name === "PUT /v1/sys/unseal" && ++unseals === 2) {
        empty.server.up = false;
        throw new OpenBaoUnreachable("cut");
      }
    });
    await assert.rejects(run());
    empty.server.up = true;
    assert.equal((await run()).observed["clusterId"], "source");
    assert.equal(empty.wipes, 0);
  });

  describe("once clients write to the restored store, and the journal was not told of its end", () => {
    beforeEach(async () => {
      const journal = Object.create(empty.context.journal) as typeof empty.context.journal;
      journal.append = (entry) =>
        entry.beat === "done"
          ? Promise.reject(new Error("killed here"))
          : empty.context.journal.append(entry);
      await assert.rejects(runBeats(restore, { ...empty.context, journal }), /killed here/);
      assert.equal(empty.claim?.["state"], "kept");
      empty.server.restart();
    });

    function loseUnseals(most: number): void {
      let lost = 0;
      empty.server.before.push((name) => {
        if (name === "PUT /v1/sys/unseal" && ++lost <= most) throw new OpenBaoUnreachable("cut");
      });
    }

    it("a key that is lost on its way takes nothing away: it is given again (F13, I21)", async () => {
      loseUnseals(2);
      assert.equal((await run()).observed["clusterId"], "source");
      assert.equal(empty.wipes, 0);
    });

    it("a server that cannot be unsealed is waited for, and never emptied (F14)", async () => {
      loseUnseals(Infinity);
      await assert.rejects(run(), /waited .* for openbao-0 to be unsealed.*cut/);
      assert.equal(empty.wipes, 0);
    });

    it("a store that the stored key does not open is refused, and never emptied (F26)", async () => {
      empty.server.store = { ...empty.server.store!, key: "of-another-time" };
      await refuses("F26", /nothing is taken away/);
      assert.equal(empty.wipes, 0);
    });
  });

  it("a lost reply of init is no second init in the same run: it holds and says what to do (F15)", async () => {
    empty.server.after.push((name) => {
      if (name === "PUT /v1/sys/init" && empty.server.inits === 1) throw new OpenBaoUnreachable("cut");
    });
    await refuses("F15", /rm -rf \/openbao\/data\/vault\.db/);
    assert.equal(empty.server.inits, 1);
  });

  it("a vault-config Job initialises the empty server first: refused, nothing is taken away (F57)", async () => {
    empty.server.store = { key: "theirs", token: "theirs", clusterId: "theirs" };
    await refuses("F57", /vault-config/);
    assert.equal(empty.wipes + empty.server.inits, 0);
  });

  it("a Job initialises it between our look and our call: no second init (F57)", async () => {
    empty.server.before.push((name) => {
      if (name === "PUT /v1/sys/init")
        empty.server.store = { key: "theirs", token: "theirs", clusterId: "theirs" };
    });
    await refuses("F57");
    assert.equal(empty.server.inits, 0);
  });

  it("a stranger's unsealed store is never emptied, though an old claim is there (F57)", async () => {
    empty.world.kube.put(CLAIM, { data: { state: "calling", holder: "dead", pod: "openbao-0" } });
    empty.server.store = { key: "theirs", token: "theirs", clusterId: "theirs" };
    empty.server.sealed = false;
    await refuses("F57", /not by this program/);
    assert.equal(empty.wipes, 0);
  });

  it("the key Secret is written over while the store is empty: it stops before the restore (F26)", async () => {
    empty.server.after.push((name) => {
      if (name === "PUT /v1/sys/init")
        empty.world.kube.put(KEY_SECRET, {
          ...empty.world.kube.peek(KEY_SECRET),
          data: { "unseal-key": base64("theirs"), "root-token": base64("theirs") },
        });
    });
    await refuses("F26");
    assert.equal(empty.server.requests.includes("POST /v1/sys/storage/raft/snapshot-force"), false);
  });

  it("another file lies under the snapshot's name: refused before the init (F64)", async () => {
    writeFileSync(empty.file, packed(snapshotParts()));
    await refuses("F64");
    assert.equal(empty.server.inits, 0);
  });

  it("the stored key does not open the snapshot: refused before the init (F29)", async () => {
    empty.world.kube.put(KEY_SECRET, {
      data: { "unseal-key": base64("other-key-of-another-cluster"), "root-token": base64("t") },
    });
    await refuses("F29");
    assert.equal(empty.server.inits, 0);
  });

  it("the old store was not set aside: refused (F19)", async () => {
    const bare = new EmptyStoreWorld("restore");
    try {
      await assert.rejects(runBeats(restore, bare.context), (error: Refused) => error.hazard === "F19");
      assert.equal(bare.server.inits, 0);
    } finally {
      bare.remove();
    }
  });

  it("more than one replica is asked for: an init could meet another's (F51)", async () => {
    empty.world.statefulSet(3);
    await refuses("F51");
  });

  it("another run took the claim meanwhile: no init by this one (F8, F51)", async () => {
    empty.world.kube.answer("create", /configmaps$/, (_path, _query, body) => {
      if ((body as { metadata?: { name?: string } }).metadata?.name !== "openbao-raft-migration-init")
        return undefined;
      if (empty.claim === undefined)
        empty.world.kube.put(CLAIM, { data: { state: "calling", holder: "other", pod: "openbao-0" } });
      return undefined;
    });
    await refuses("F51");
    assert.equal(empty.server.inits, 0);
  });

  it("a store that was restored and is lost since is not made anew in silence (I2)", async () => {
    await run();
    empty.server.store = undefined;
    await refuses("F51");
    assert.equal(empty.server.inits, 1);
  });

  it("the Lease is lost before the init call: no init (F10)", async () => {
    const fence = {
      ...empty.context.fence,
      assertHeld: () =>
        empty.claim === undefined ? Promise.resolve() : Promise.reject(new Error("lost the Lease")),
    };
    await assert.rejects(runBeats(restore, { ...empty.context, fence }), /lost the Lease/);
    assert.equal(empty.server.inits, 0);
  });
});
