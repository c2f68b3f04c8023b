import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Inventory, InventoryEntry } from "../../components/inventory/inventory";
import { digestOfEntries } from "../../components/inventory/digester";
import { CHUNK_BYTES, packInventory } from "../../components/inventory/inventoryChunks";
import {
  inventoryKey,
  loadInventory,
  removeInventories,
  saveInventory,
} from "../../components/inventory/inventoryStore";
import { FakeKube } from "../support/fakeKube";

const SECRETS = "/api/v1/namespaces/openbao/secrets";

function inventoryOf(count: number): Inventory {
  const entries = Array.from({ length: count }, (_, n): InventoryEntry => {
    const random = randomBytes(16).toString("base64url");
    return {
      id: random,
      kind: "kv2",
      mount: "s/",
      name: `s/${n}`,
      version: 1,
      digests: [`c:${random}`, `1:l:${random}`],
    };
  });
  const digest = digestOfEntries(entries);
  return {
    takenAt: "t",
    keyId: "k",
    digest,
    entries,
    counts: { tokens: 1, leases: {} },
    notCompared: [],
    vanished: 0,
  };
}

async function names(kube: FakeKube): Promise<string[]> {
  return (await kube.list(SECRETS)).map((secret) => secret.metadata?.name ?? "");
}

describe("inventoryStore", () => {
  it("gives back what was saved, in chunks that a Secret can hold", async () => {
    const kube = new FakeKube();
    const inventory = inventoryOf(30_000);
    await saveInventory(kube, "openbao", "before", inventory);
    assert.deepEqual(await loadInventory(kube, "openbao", "before"), inventory);
    const { chunks } = packInventory(inventory);
    assert.equal(chunks.length > 1, true);
    assert.equal(
      chunks.every((chunk) => chunk.length <= CHUNK_BYTES),
      true,
    );
  });

  it("replaces an inventory and leaves no chunk of the old one", async () => {
    const kube = new FakeKube();
    await saveInventory(kube, "openbao", "before", inventoryOf(3));
    const second = inventoryOf(4);
    await saveInventory(kube, "openbao", "before", second);
    assert.deepEqual(await loadInventory(kube, "openbao", "before"), second);
    assert.equal((await names(kube)).length, 2);
  });

  it("still gives the old one when a save ended half-way", async () => {
    const kube = new FakeKube();
    const first = inventoryOf(3);
    await saveInventory(kube, "openbao", "before", first);
    kube.fail("replace", `${SECRETS}/openbao-raft-migration-inventory-before`, 0);
    await assert.rejects(saveInventory(kube, "openbao", "before", inventoryOf(4)));
    assert.deepEqual(await loadInventory(kube, "openbao", "before"), first);
  });

  it("refuses a chunk that is not the one that was written", async () => {
    const kube = new FakeKube();
    await saveInventory(kube, "openbao", "before", inventoryOf(3));
    const chunk = (await names(kube)).find((name) => name.endsWith("-0"))!;
    kube.put(`${SECRETS}/${chunk}`, { metadata: { name: chunk }, data: { entries: "AAAA" } });
    await assert.rejects(loadInventory(kube, "openbao", "before"), /chunk 0 is not the one/);
  });

  it("knows none before one was saved", async () => {
    assert.equal(await loadInventory(new FakeKube(), "openbao", "before"), undefined);
  });

  it("makes the key once, and a second maker takes the first one's", async () => {
    const kube = new FakeKube();
    const key = await inventoryKey(kube, "openbao");
    assert.equal(key.length, 32);
    assert.deepEqual(await inventoryKey(kube, "openbao"), key);
    assert.equal(kube.writes.length, 1);
  });

  it("refuses a key Secret that holds something else, and does not overwrite it", async () => {
    const name = "openbao-raft-migration-inventory-key";
    const kube = new FakeKube().put(`${SECRETS}/${name}`, { metadata: { name }, data: { key: "AAAA" } });
    await assert.rejects(inventoryKey(kube, "openbao"), /holds 3 bytes.*expected 32/);
    assert.deepEqual(kube.writes, []);
  });

  it("removes inventories and key, and no other Secret", async () => {
    const kube = new FakeKube().put(`${SECRETS}/openbao-unseal`, { metadata: { name: "openbao-unseal" } });
    await inventoryKey(kube, "openbao");
    await saveInventory(kube, "openbao", "before", inventoryOf(3));
    await removeInventories(kube, "openbao");
    assert.deepEqual(await names(kube), ["openbao-unseal"]);
  });
});
