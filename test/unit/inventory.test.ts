import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { canonicalJson } from "../../components/inventory/digester";
import { takeInventory, type Inventory } from "../../components/inventory/inventory";
import { ModelOpenBao, modelContent } from "../support/modelOpenBao";

const hmacKey = Buffer.alloc(32, 1);

function take(bao: ModelOpenBao, key = hmacKey): Promise<Inventory> {
  return takeInventory(bao, "token", { hmacKey: key });
}

describe("takeInventory", () => {
  it("finds every entry, with the state of each version", async () => {
    const { entries } = await take(new ModelOpenBao(modelContent()));
    const found = entries.map(({ name, version }) => `${name}${version === undefined ? "" : `@${version}`}`);
    assert.deepEqual(found.filter((name) => !name.startsWith("sys/mounts/")).sort(), [
      "old/app/db",
      "old/top",
      "secret/app/api@1",
      "secret/app/db@3",
      "sys/policies/acl/default",
      "sys/policies/acl/root",
      "transit/keys/k1@2",
    ]);
    const db = entries.find((entry) => entry.name === "secret/app/db")!;
    assert.deepEqual(
      db.digests.map((digest) => digest.slice(0, 4).replace(/:[^:]*$/, "")),
      ["c", "1", "2", "3:l"],
    );
    assert.deepEqual(db.digests.slice(1, 3), ["1:x", "2:d"]);
  });

  it("holds no value and no plain hash of one (hazards section 3)", async () => {
    const content = modelContent();
    const text = JSON.stringify(await take(new ModelOpenBao(content)));
    for (const value of ["kv1-value-of-app", "kv2-value", "api-value"]) {
      assert.equal(text.includes(value), false);
      for (const hashed of [value, canonicalJson({ a: value }), canonicalJson({ password: value })]) {
        const hash = createHash("sha256").update(hashed).digest();
        for (const form of ["hex", "base64", "base64url"] as const) {
          assert.equal(text.includes(hash.toString(form).slice(0, 16)), false);
        }
      }
    }
  });

  it("gives equal digests for equal content under one key, and others under another key", async () => {
    const first = await take(new ModelOpenBao(modelContent()));
    assert.equal((await take(new ModelOpenBao(modelContent()))).digest, first.digest);
    assert.notEqual((await take(new ModelOpenBao(modelContent()), Buffer.alloc(32, 2))).digest, first.digest);
  });

  it("gives equal values at two places unequal digests", async () => {
    const content = modelContent();
    content.kv1 = { a: { v: 1 }, b: { v: 1 } };
    const { entries } = await take(new ModelOpenBao(content));
    const [a, b] = ["old/a", "old/b"].map((name) => entries.find((entry) => entry.name === name)!.digests[0]);
    assert.notEqual(a, b);
  });

  it("only reads, and never a dynamic engine", async () => {
    const bao = new ModelOpenBao(modelContent());
    const inventory = await take(bao);
    assert.deepEqual([...new Set(bao.requests.map((one) => one.split(" ")[0]))].sort(), ["GET", "LIST"]);
    assert.equal(
      bao.requests.some((one) => one.includes("/v1/cloud/")),
      false,
    );
    assert.deepEqual(inventory.notCompared, ["cloud/ (cloud)"]);
  });

  it("marks an entry that cannot be read, and goes on", async () => {
    const bao = new ModelOpenBao(modelContent());
    bao.planted.set("old/top", 400);
    const { entries } = await take(bao);
    assert.deepEqual(entries.find((entry) => entry.name === "old/top")!.digests, ["u"]);
    assert.equal(
      entries.some((entry) => entry.name === "old/app/db"),
      true,
    );
  });

  it("stops when the namespaces cannot be listed: all that lies in them would be left out (H2)", async () => {
    for (const status of [400, 500]) {
      const bao = new ModelOpenBao(modelContent());
      bao.planted.set("sys/namespaces", status);
      await assert.rejects(take(bao), new RegExp(`LIST sys/namespaces answered ${status}`));
    }
  });

  it("goes on where the server knows no namespaces", async () => {
    for (const status of [404, 405]) {
      const bao = new ModelOpenBao(modelContent());
      bao.planted.set("sys/namespaces", status);
      assert.ok((await take(bao)).entries.length > 0);
    }
  });

  it("stops when the token may not read something, and names no path of a secret", async () => {
    const bao = new ModelOpenBao(modelContent());
    bao.planted.set("old/app/db", 403);
    await assert.rejects(take(bao), (error: Error) => {
      assert.match(error.message, /GET old\/\.\.\. answered 403.*token/);
      return !error.message.includes("app/db");
    });
  });

  it("does not follow a listing that leads to itself", async () => {
    const content = modelContent();
    content.kv1 = { "/x": { v: 1 }, "a//b": { v: 2 } };
    const { entries } = await take(new ModelOpenBao(content));
    assert.deepEqual(entries.find((entry) => entry.name === "old//")?.digests, ["u"]);
    assert.deepEqual(entries.find((entry) => entry.name === "old/a//")?.digests, ["u"]);
  });

  it("refuses a short key", () =>
    assert.rejects(take(new ModelOpenBao(modelContent()), Buffer.alloc(8)), /8 bytes/));
});
