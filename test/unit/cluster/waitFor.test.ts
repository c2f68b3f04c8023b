import assert from "node:assert/strict";
import { GiveUp, waitFor } from "../../../rehearsal/cluster/waitFor";

describe("waitFor", () => {
  it("gives the first answer that is neither undefined nor false", async () => {
    const answers = [undefined, false, 0] as const;
    let asked = 0;
    assert.equal(await waitFor("an answer", 5, async () => answers[asked++], 1), 0);
    assert.equal(asked, 3);
  });

  it("says what it waited for and the last error when the bound passes", async () => {
    const ask = async () => Promise.reject(new Error("connection refused"));
    await assert.rejects(
      waitFor("the API server", 0.01, ask, 1),
      /0\.01 s for the API server\. Last seen: connection refused/,
    );
  });

  it("stops at once when waiting on is useless", async () => {
    const started = Date.now();
    await assert.rejects(
      waitFor("x", 60, async () => Promise.reject(new GiveUp("etcd ended")), 1),
      /etcd ended/,
    );
    assert.ok(Date.now() - started < 10_000);
  });
});
