import assert from "node:assert/strict";
import type { JournalEntry } from "../../components/cluster/journal";
import { evidenceDigest, pullRequestText } from "../../components/land/pullRequest";

const entry = (
  step: string,
  beat: JournalEntry["beat"],
  observed: Record<string, unknown>,
): JournalEntry => ({
  time: "2026-01-02T03:04:05.000Z",
  holder: "ann@host/1-2",
  step,
  beat,
  observed,
});
const JOURNAL = [
  entry("carry", "act", {}),
  entry("carry", "done", { entries: 10 }),
  entry("compare-verify", "done", { lost: 0, note: "a | b\n<script> `x`" }),
];
const text = (journal: readonly JournalEntry[] = JOURNAL) =>
  pullRequestText({
    release: "openbao",
    namespace: "vault",
    branch: "openbao-raft",
    replicas: 3,
    themes: ["feat(openbao): ask for 3 replicas", "feat(openbao): run on Raft with 3 nodes"],
    files: ["k8s/vars.yaml"],
    journal,
  });

describe("the text for the pull request", () => {
  it("names themes, files, the digest of the evidence, and that a revert is no rollback", async () => {
    for (const part of [
      "# Run OpenBao `vault/openbao` on Raft with 3 nodes",
      "- feat(openbao): ask for 3 replicas\n- feat(openbao): run on Raft with 3 nodes",
      "- `k8s/vars.yaml`",
      `sha256:${evidenceDigest(JOURNAL)}`,
      "| carry | 2026-01-02T03:04:05.000Z | entries 10 |",
      "Reverting this is no rollback",
    ]) {
      assert.equal(text().includes(part), true, part);
    }
  });

  it("lets no fact break its table or become markup", () =>
    assert.match(text(), /note a \\\| b \\<script\\> \\`x\\` \|\n/));

  it("is the same after landing and resuming, so that a second landing says the same", async () => {
    const later = [...JOURNAL, entry("land-git", "done", { head: "x" }), entry("resume", "done", {})];
    assert.equal(text(later), text());
  });

  it("has another digest when any finished step saw something else", () =>
    assert.notEqual(
      evidenceDigest([...JOURNAL.slice(0, 2), entry("compare-verify", "done", { lost: 1 })]),
      evidenceDigest(JOURNAL),
    ));
});
