import assert from "node:assert/strict";
import { Journal, JOURNAL_NAME, readJournal } from "../../components/cluster/journal";
import { KubeError } from "../../components/cluster/kubeClient";
import { FakeKube } from "../support/fakeKube";

const MAPS = "/api/v1/namespaces/openbao/configmaps";
const PATH = `${MAPS}/${JOURNAL_NAME}`;
const journalOf = (kube: FakeKube, holder = "ann") => new Journal(kube, "openbao", holder);

describe("the journal", () => {
  it("keeps every entry of two writers that write at once", async () => {
    const kube = new FakeKube();
    await journalOf(kube).append({ step: "first", beat: "act", observed: {} });
    const [ann, bob] = [journalOf(kube), journalOf(kube, "bob")];
    await Promise.all(
      [ann, bob].flatMap((journal, who) =>
        Array.from({ length: 20 }, (_, n) =>
          journal.append({ step: `step-${who}-${n}`, beat: "done", observed: { n } }),
        ),
      ),
    );
    assert.equal((await readJournal(kube, "openbao")).length, 41);
  });

  it("is made by one of two, and the other's first entry is not lost with it", async () => {
    const kube = new FakeKube();
    await Promise.all(
      ["ann", "bob"].map((holder) =>
        journalOf(kube, holder).append({ step: holder, beat: "act", observed: {} }),
      ),
    );
    assert.deepEqual((await readJournal(kube, "openbao")).map(({ step }) => step).sort(), ["ann", "bob"]);
  });

  it("names holder, time and step, and gives the newest done entry of a step", async () => {
    const journal = journalOf(new FakeKube());
    for (const n of [1, 2]) await journal.append({ step: "carry", beat: "done", observed: { n } });
    await journal.append({ step: "carry", beat: "failed", observed: { n: 3 } });
    const done = await journal.done("carry");
    assert.deepEqual([done?.holder, done?.observed], ["ann", { n: 2 }]);
    assert.ok(Math.abs(Date.now() - Date.parse(done?.time ?? "")) < 60_000);
    assert.equal(await journal.done("flip"), undefined);
  });

  it("reads over an entry that is not its own, and is empty where there is none", async () => {
    const kube = new FakeKube();
    assert.deepEqual(await readJournal(kube, "openbao"), []);
    await journalOf(kube).append({ step: "carry", beat: "done", observed: {} });
    await kube.mergePatch(PATH, { data: { zz: "{not json", yy: '{"step":1}', xx: "null" } });
    assert.deepEqual(
      (await readJournal(kube, "openbao")).map(({ step }) => step),
      ["carry"],
    );
  });

  it("stays under what a ConfigMap may hold, whatever one step writes and however often it fails", async () => {
    const kube = new FakeKube();
    const journal = journalOf(kube);
    await journal.append({ step: "first", beat: "done", observed: { kept: true } });
    for (let n = 0; n < 120; n++) {
      await journal.append({
        step: "carry",
        beat: "failed",
        observed: { why: `${n} ${"x".repeat(100_000)}` },
      });
    }
    const data = kube.peek<{ data: Record<string, string> }>(PATH)?.data ?? {};
    const bytes = Object.entries(data).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    assert.ok(bytes < 900_000, `${bytes} bytes`);
    // What steps are judged by is never dropped; of failures the newest are what people look for.
    assert.deepEqual((await journal.done("first"))?.observed, { kept: true });
    const newest = (await journal.entries()).at(-1);
    assert.match(String(newest?.observed["why"]), /^119 x+/);
  });

  it("fails on a refusal of the API server, which is no missing journal", async () => {
    const kube = new FakeKube();
    kube.answer("mergePatch", PATH, () => {
      throw new KubeError("no", 403, "Forbidden");
    });
    await assert.rejects(journalOf(kube).append({ step: "a", beat: "act", observed: {} }), /no/);
    assert.equal(kube.peek(PATH), undefined);
  });
});
