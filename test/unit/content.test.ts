import assert from "node:assert/strict";
import { KV1_MOUNT, KV2_MOUNT, kvEntries, kvEntry, LARGE_SIZES } from "../../rehearsal/source/content";
import { ODD_PATHS } from "../../rehearsal/source/oddPaths";
import { randomStream } from "../../rehearsal/source/randomStream";

const all = [...kvEntries("seed", 1000)];

describe("generated content", () => {
  it("is the same for the same seed and index, also when one entry is made alone", () => {
    for (const index of [0, 1, 50, 57, 71, 117, 999]) assert.deepEqual(kvEntry("seed", index), all[index]);
  });

  it("differs for another seed, under the same paths for the special entries", () => {
    const other = [...kvEntries("other", 300)];
    const values = (entries: typeof all) => entries.map(({ versions }) => JSON.stringify(versions));
    const equal = values(other).filter((value, at) => value === values(all.slice(at, at + 1))[0]).length;
    assert.ok(equal < 20, `${equal} of 300 entries hold the same values`);
    assert.equal(other[3]!.path, all[3]!.path);
  });

  it("holds no path twice in one mount", () => {
    const names = new Set(all.map(({ namespace, mount, path }) => `${namespace}|${mount}|${path}`));
    assert.equal(names.size, all.length);
  });

  it("puts every odd path into KV v1 and KV v2", () => {
    for (const mount of [KV1_MOUNT, KV2_MOUNT]) {
      const paths = all.filter((entry) => entry.mount === mount).map(({ path }) => path);
      for (const odd of ODD_PATHS) assert.ok(paths.includes(odd), `${odd} is not in ${mount}`);
    }
  });

  it("has values from 1 byte to 900 KiB, and no more large ones at 20000 keys than at 1000", () => {
    const texts = all.flatMap(({ versions }) => versions.flatMap((data) => Object.values(data)));
    const lengths = texts.filter((value) => typeof value === "string").map((value) => value.length);
    assert.equal(Math.min(...lengths), 1);
    assert.equal(Math.max(...lengths), 900 * 1024);
    assert.equal(all.filter(({ path }) => path.startsWith("large/")).length, LARGE_SIZES.length);
    for (let index = 1000; index < 20000; index += 97) {
      assert.ok(JSON.stringify(kvEntry("seed", index).versions).length < 20_000, `entry ${index} is large`);
    }
  });

  it("has every fate, entries with several versions, and entries in each OpenBao namespace", () => {
    const kv2 = all.filter(({ mount }) => mount === KV2_MOUNT);
    const fates = new Set(kv2.map(({ fate }) => fate));
    assert.deepEqual(
      [...fates].sort(),
      ["first-destroyed", "kept", "latest-deleted", "metadata-deleted", "undeleted"].sort(),
    );
    assert.ok(kv2.filter(({ versions }) => versions.length > 1).length > 30);
    assert.deepEqual([...new Set(all.map(({ namespace }) => namespace))].sort(), [
      "",
      "team-a",
      "team-a/blue",
    ]);
    for (const entry of kv2) if (entry.fate === "first-destroyed") assert.ok(entry.versions.length > 1);
  });

  it("gives KV v1 entries one version and no fate", () => {
    for (const { mount, versions, fate } of all) {
      if (mount === KV1_MOUNT) assert.deepEqual([versions.length, fate], [1, "kept"]);
    }
  });

  it("asks nothing that file storage refuses: no '..', no '.temp', no empty segment", () => {
    for (const { path } of all) assert.doesNotMatch(path, /\.\.|\.temp$|\/\/|^\/|\/$/);
  });
});

describe("random streams", () => {
  it("are independent by name and spread over their range", () => {
    const a = randomStream("a", 1);
    const b = randomStream("a", 2);
    assert.notEqual(a.hex(64), b.hex(64));
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10000; i++) counts[a.below(10)]!++;
    for (const count of counts) assert.ok(count > 850 && count < 1150, `counts ${counts.join(" ")}`);
  });

  it("give as many bytes and digits as asked for", () => {
    const stream = randomStream("b");
    for (const count of [1, 2, 3, 5, 8, 33]) {
      assert.equal(stream.bytes(count).length, count);
      assert.match(stream.hex(count), new RegExp(`^[0-9a-f]{${count}}$`));
    }
  });
});
