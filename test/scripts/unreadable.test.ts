import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runBeats } from "../../components/steps/runStep";
import { fileCopy } from "../../components/steps/scripts/fileCopy";
import { COPYING_BAO, JobScript } from "../support/jobScript";
import { jobsEnd } from "../support/jobsEnd";
import { StepWorld } from "../support/stepContext";

const REAL = "PATH=/usr/bin:/bin";
const CANARY = "logical/m1/_canary-name";

/** A sha256sum that does `deed` in place of reading the canary, and ends badly as the real one. */
function blind(deed: string): string {
  return `${REAL}
[ $# -gt 0 ] || exec sha256sum
end=0
for path; do
  case $path in *canary-name*) ${deed}; end=1 ;; *) sha256sum "$path" || end=1 ;; esac
done
exit $end`;
}

const DENIED = 'echo "sha256sum: $path: Permission denied" >&2';

describe("an entry that cannot be read (hazards I18, F20)", () => {
  let script: JobScript;
  beforeEach(() => {
    script = new JobScript("fileCopy.sh");
    script.put(CANARY, "{}");
  });
  afterEach(() => script.remove());

  const kept = () => existsSync(join(script.data, ".openbao-raft-migration/backup"));

  it("is counted in stage backup, where it costs no outage, and is not named", () => {
    const run = script.run("exit 1", {}, { fakes: { sha256sum: blind(DENIED) } });
    assert.deepEqual(
      [run.code, run.result],
      [25, { problem: "unreadable-entries", unreadable: 1 }],
      run.output,
    );
    assert.equal(kept(), false);
    assert.doesNotMatch(run.output, /canary/);
  });

  it("is counted when it is the keyring", () => {
    const sha256sum = blind(DENIED).replace("*canary-name*", "*core/_keyring");
    const run = script.run("exit 1", {}, { fakes: { sha256sum } });
    assert.deepEqual([run.code, run.result["unreadable"]], [25, 1], run.output);
  });

  it("is counted when it is a whole folder, which find passes over", () => {
    const find = `${REAL}; find "$@"; [ "$1" != logical ]`;
    const run = script.run("exit 1", {}, { fakes: { find } });
    assert.deepEqual([run.code, run.result["unreadable"]], [25, 1], run.output);
  });

  it("is none that the running server removed meanwhile, file or folder", () => {
    const find = `${REAL}; find "$@"; end=$?
case "$*" in logical*-print0) ;; logical*) [ -e $WORK/seen ] || { : > $WORK/seen; exit 1; } ;; esac
exit $end`;
    // Not seen in the manifests, and gone when it is looked at by itself.
    const sha256sum = blind(`case $path in /*) rm -f "$path" ;; esac`);
    const run = script.run("exit 1", {}, { fakes: { find, sha256sum } });
    assert.equal(run.code, 0, run.output);
    assert.equal(run.result["entries"], 5);
  });

  it("is told by step file-copy with what to do", () =>
    assert.rejects(
      runBeats(fileCopy, jobsEnd(new StepWorld("file-copy"), 25, { unreadable: 1 }).context),
      /cannot read.*Look at their owner and at the disk.*"unreadable":1.*\[F20\]$/,
    ));

  for (const name of ["carry.sh", "setAside.sh"] as const)
    it(`is not named by ${name} either (hazards section 3)`, () => {
      const other = new JobScript(name, { aside: "t1", role: "first" });
      Object.assign(other, { data: script.data });
      script.put(".openbao-raft-migration/carried.manifest", "x");
      const run = other.run(COPYING_BAO, {}, { fakes: { sha256sum: blind(DENIED) } });
      other.remove();
      assert.notEqual(run.code, 0);
      assert.doesNotMatch(JSON.stringify(run.result) + run.output, /canary/);
    });
});
