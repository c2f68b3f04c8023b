import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertFresh, readSnapshot, SnapshotFault } from "../../components/snapshot/readSnapshot";
import { assertKeyOpens } from "../../components/snapshot/snapshotKey";
import { propertyRuns } from "../support/propertyRuns";
import { packed, SNAPSHOT_KEY, snapshotParts, TAKEN_AT, type SnapshotParts } from "../support/snapshotFile";

describe("a snapshot is read to its end before it is trusted (hazard F28)", () => {
  let folder = "";
  before(() => (folder = mkdtempSync(join(tmpdir(), "snapshot-"))));
  after(() => rmSync(folder, { recursive: true }));

  function written(bytes: Buffer): string {
    const file = join(folder, "one.snap");
    writeFileSync(file, bytes);
    return file;
  }

  async function refuses(bytes: Buffer, why: RegExp): Promise<void> {
    await assert.rejects(readSnapshot(written(bytes)), (error: unknown) => {
      assert.equal(error instanceof SnapshotFault, true, String(error));
      assert.match(String(error), why);
      assert.equal((error as SnapshotFault).hazard, "F28");
      return true;
    });
  }

  function changed(change: (parts: SnapshotParts) => void): Buffer {
    const parts = snapshotParts();
    change(parts);
    return packed(parts);
  }

  it("gives what a whole one says of itself", async () => {
    const facts = await readSnapshot(written(packed(snapshotParts(Buffer.alloc(70_000, 1)))));
    const { stateBytes, index, term, nodes, createdAt } = facts;
    assert.deepEqual(
      { stateBytes, index, term, nodes, createdAt },
      { stateBytes: 70_000, index: 33, term: 3, nodes: ["openbao-0"], createdAt: "2026-11-24T08:00:00.000Z" },
    );
  });

  it("refuses it when it is cut off at any sixteenth", async () => {
    const whole = packed(snapshotParts());
    for (let part = 0; part < 16; part++)
      await refuses(whole.subarray(0, Math.floor((whole.length * part) / 16)), /gzip|end mark|middle|lacks/);
  });

  it("refuses it, or reads the very same, whichever bit is flipped", async () => {
    const whole = packed(snapshotParts(Buffer.alloc(600, 3)));
    const good = await readSnapshot(written(whole));
    let [tried, refused] = [0, 0];
    const { numRuns } = propertyRuns(Math.floor((whole.length * 8) / 3));
    const step = Math.floor((whole.length * 8) / numRuns);
    for (let bit = 0; bit < whole.length * 8; bit += step) {
      const bytes = Buffer.from(whole);
      tried++;
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const { sums, sealedSums, sha256 } = await readSnapshot(written(bytes));
        // Gzip's own time and system bytes and its padding change nothing inside; the file's digest still tells.
        assert.deepEqual([sums, sealedSums], [good.sums, good.sealedSums]);
        assert.notEqual(sha256, good.sha256);
      } catch (error) {
        if (!(error instanceof SnapshotFault)) throw error;
        refused++;
      }
    }
    assert.ok(refused > tried * 0.9, `${refused} of ${tried}`);
  });

  it("refuses a member that no snapshot has", () =>
    refuses(
      changed(({ members }) => members.push({ name: "extra", content: Buffer.from("x") })),
      /a member that no snapshot has/,
    ));

  it("refuses a path that leads elsewhere, and a link", async () => {
    await refuses(
      changed(({ members }) => (members[0]!.name = "../meta.json")),
      /a member that no snapshot has/,
    );
    await refuses(
      changed(({ members }) => (members[0]!.type = "2")),
      /something else than plain files/,
    );
  });

  it("refuses a member that is there twice, and one that is missing", async () => {
    await refuses(
      changed(({ members }) => members.push(members[0]!)),
      /meta.json twice/,
    );
    await refuses(
      changed(({ members }) => members.pop()),
      /lacks SHA256SUMS.sealed/,
    );
  });

  it("refuses content that its sums do not fit", () =>
    refuses(
      changed(({ members }) => (members[1]!.content = Buffer.alloc(4096, 9))),
      /SHA256SUMS does not fit state.bin/,
    ));

  it("refuses a size that meta.json does not know", () => {
    const parts = snapshotParts();
    const other = snapshotParts(Buffer.alloc(8));
    parts.members[0] = other.members[0]!;
    parts.members[2]!.content = Buffer.from(
      other.members[2]!.content.toString().split("\n")[0]! +
        "\n" +
        parts.members[2]!.content.toString().split("\n")[1]! +
        "\n",
    );
    return refuses(packed(parts), /speaks of 8 bytes of state, 4096/);
  });

  it("refuses a small member that is not small, without holding it", () =>
    refuses(
      changed(({ members }) => (members[3]!.content = Buffer.alloc(100_000))),
      /SHA256SUMS.sealed has 100000 bytes/,
    ));

  it("refuses what follows the end", async () => {
    const whole = packed(snapshotParts());
    await refuses(Buffer.concat([whole, whole]), /after its end mark/);
    await refuses(Buffer.concat([whole, Buffer.from("garbage")]), /gzip|follows/);
  });

  it("refuses text, an empty file and plain tar", async () => {
    for (const bytes of [Buffer.from("307 Temporary Redirect"), Buffer.alloc(0), Buffer.alloc(2048)])
      await refuses(bytes, /gzip|end mark/);
  });
});

describe("the stored key is proved on a snapshot before anything is stopped (hazard F29)", () => {
  const sums = (parts: SnapshotParts) => ({
    sums: parts.members[2]!.content,
    sealedSums: parts.members[3]!.content,
  });

  it("takes the key of its cluster, as base64 and as hex", () => {
    assertKeyOpens(sums(snapshotParts()), SNAPSHOT_KEY.toString("base64"));
    assertKeyOpens(sums(snapshotParts()), SNAPSHOT_KEY.toString("hex"));
  });

  for (const [title, key] of [
    ["another key", Buffer.alloc(32, 8).toString("base64")],
    ["a share of a longer kind", Buffer.alloc(33, 7).toString("base64")],
    ["a placeholder", "REPLACE_AFTER_INIT"],
    ["nothing", ""],
  ] as const) {
    it(`refuses ${title}`, () =>
      assert.throws(
        () => assertKeyOpens(sums(snapshotParts()), key),
        (error: SnapshotFault) => error.hazard === "F29" && !error.message.includes(key || "none"),
      ));
  }

  it("takes sums in another order, as the server writes them at times", () => {
    const { sums: text, sealedSums } = sums(snapshotParts());
    const [meta, state] = text.toString().split("\n");
    const turned = Buffer.from(`${state}\n${meta}\n`);
    assertKeyOpens({ sums: turned, sealedSums }, SNAPSHOT_KEY.toString("hex"));
  });

  it("refuses sums that were not sealed with the others", () => {
    const mixed = { ...sums(snapshotParts()), sums: sums(snapshotParts(Buffer.alloc(9))).sums };
    assert.throws(() => assertKeyOpens(mixed, SNAPSHOT_KEY.toString("hex")), SnapshotFault);
  });

  it("says that another seal cannot be proved", () => {
    for (const sealedSums of [Buffer.alloc(0), Buffer.from([0x0a, 0x7f, 1]), Buffer.alloc(90, 0xff)])
      assert.throws(
        () => assertKeyOpens({ sums: Buffer.alloc(1), sealedSums }, SNAPSHOT_KEY.toString("hex")),
        /another seal/,
      );
  });
});

describe("an old snapshot is not the truth (hazard F30)", () => {
  const facts = (createdAt: number) =>
    ({ createdAt: new Date(createdAt).toISOString() }) as Parameters<typeof assertFresh>[0];
  const now = TAKEN_AT + 3_600_000;

  it("takes one of the last hours", () => assertFresh(facts(TAKEN_AT), 2, now));
  it("refuses one that is older", () =>
    assert.throws(() => assertFresh(facts(TAKEN_AT), 0.5, now), /1\.0 h ago; expected at most 0\.5 h/));
  it("refuses one from the future", () =>
    assert.throws(() => assertFresh(facts(now + 3_600_000), 2, now), /in the future/));
});
