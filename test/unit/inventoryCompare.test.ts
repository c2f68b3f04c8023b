import assert from "node:assert/strict";
import { compareInventory, type Comparison } from "../../components/inventory/compareInventory";
import { takeInventory, type Inventory } from "../../components/inventory/inventory";
import { ModelOpenBao, modelContent, type ModelContent } from "../support/modelOpenBao";

const hmacKey = Buffer.alloc(32, 1);

async function takeOf(change: (content: ModelContent) => void = () => undefined): Promise<Inventory> {
  const content = modelContent();
  change(content);
  return takeInventory(new ModelOpenBao(content), "token", { hmacKey });
}

async function compared(
  change: (content: ModelContent) => void,
  volatile: string[] = [],
): Promise<Comparison> {
  return compareInventory(await takeOf(), await takeOf(change), { volatile });
}

describe("compareInventory", () => {
  it("finds nothing between equal stores", async () => {
    const result = await compared(() => undefined);
    assert.equal(result.verdict, "equal");
    assert.equal(result.sameDigest, true);
    assert.equal(result.equal, result.counts.entries.before);
  });

  it("fails for a lost entry", async () => {
    const result = await compared((content) => delete content.kv1["top"]);
    assert.deepEqual([result.verdict, result.lost.length, result.sameDigest], ["failed", 1, false]);
  });

  it("tells what came after, and keeps the digest of what was there: a server makes things at its start", async () => {
    const result = await compared((content) => (content.kv1["new"] = { a: "b" }));
    assert.deepEqual([result.verdict, result.added.length, result.sameDigest], ["equal", 1, true]);
  });

  it("fails when a version went back, although its content is older and whole", async () => {
    const result = await compared((content) => delete content.kv2["app/db"]![3]);
    assert.deepEqual([result.verdict, result.regressed[0]?.why], ["failed", "version went back from 3 to 2"]);
  });

  it("fails when a version has other content, or a destroyed one is back", async () => {
    const other = await compared((content) => (content.kv2["app/db"]![3] = { data: { a: "other" } }));
    assert.equal(other.regressed[0]?.why, "version 3 has other content");
    const back = await compared((content) => (content.kv2["app/db"]![1] = { data: { a: "old" } }));
    assert.equal(back.regressed[0]?.why, "version 1 was destroyed and is back");
  });

  it("fails for a mount of the same path with another uuid", async () => {
    const result = await compared((content) => (content.mountUuid = "uuid-2"));
    assert.deepEqual([result.verdict, result.regressed.length], ["failed", 4]);
  });

  it("counts a write of a client as newer, and an old version that the limit pushed out as no loss", async () => {
    const newer = await compared((content) => (content.kv2["app/api"]![2] = { data: { key: "new" } }));
    assert.deepEqual([newer.verdict, newer.newer.length], ["equal", 1]);
    const trimmed = await compared((content) => {
      content.kv2["app/db"] = { 3: { data: { a: "kv2-value" } }, 4: { data: {} } };
    });
    assert.deepEqual([trimmed.verdict, trimmed.newer.length], ["equal", 1]);
  });

  it("fails when a middle version is gone", async () => {
    const result = await compared((content) => {
      delete content.kv2["app/db"]![2];
      content.kv2["app/db"]![4] = { data: {} };
    });
    assert.equal(result.regressed[0]?.why, "version 2 is gone");
  });

  it("warns of a change that no version proves to be later", async () => {
    const result = await compared((content) => (content.kv1["top"] = { n: 2 }));
    assert.deepEqual([result.verdict, result.changed.length], ["warn", 1]);
  });

  it("excuses what lies under a volatile prefix, and leaves it out of the digests", async () => {
    const result = await compared((content) => delete content.kv1["top"], ["old/"]);
    assert.deepEqual([result.verdict, result.excused.length, result.sameDigest], ["equal", 1, true]);
  });

  it("fails when an entry became unreadable", async () => {
    const bao = new ModelOpenBao(modelContent());
    bao.planted.set("old/top", 400);
    const broken = await takeInventory(bao, "token", { hmacKey });
    assert.equal(compareInventory(await takeOf(), broken, { volatile: [] }).verdict, "failed");
    const both = compareInventory(broken, broken, { volatile: [] });
    assert.deepEqual([both.verdict, both.notCompared.entries.length], ["warn", 1]);
  });

  it("refuses inventories of two keys", async () => {
    const other = await takeInventory(new ModelOpenBao(modelContent()), "t", {
      hmacKey: Buffer.alloc(32, 9),
    });
    assert.throws(
      () => compareInventory(other, { ...other, keyId: "x" }, { volatile: [] }),
      /different keys/,
    );
  });

  it("names no entry", async () => {
    const [before, after] = [await takeOf(), await takeOf((content) => delete content.kv1["top"])];
    assert.equal(
      JSON.stringify(compareInventory(before, after, { volatile: [] })).includes("old/top"),
      false,
    );
  });
});
