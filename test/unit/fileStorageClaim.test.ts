import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { untouched } from "../../rehearsal/fileStorageClaim";

describe("the old file storage at the end of a rehearsal", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "file-storage-"));
    for (const path of ["core/_keyring", "core/_lock", "logical/a/_b", "logical/a/_B", "raft/raft.db"]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), path);
    }
    writeFileSync(join(folder, "vault.db"), "raft");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As carry.sh makes it. */
  function carried(): Record<string, unknown> {
    const script = `cd "$1" && sha256sum core/_keyring logical/a/_b logical/a/_B | LC_ALL=C sort | sha256sum`;
    const [manifest] = execFileSync("sh", ["-c", script, "sh", folder], { encoding: "utf8" }).split(" ");
    return { entries: 3, manifest };
  }

  it("is the carried one, whatever a server and Raft have beside it", () => {
    const { holds, seen } = untouched(folder, carried());
    assert.equal(holds, true, seen);
  });

  it("is told from one that was written to, lost a file or got one (F38, F43)", () => {
    const before = carried();
    appendFileSync(join(folder, "logical/a/_b"), "!");
    assert.equal(untouched(folder, before).holds, false);
    rmSync(join(folder, "logical/a/_b"));
    assert.equal(untouched(folder, before).holds, false);
    writeFileSync(join(folder, "logical/a/_b"), "logical/a/_b");
    assert.equal(untouched(folder, before).holds, true);
    writeFileSync(join(folder, "logical/a/_c"), "");
    assert.equal(untouched(folder, before).holds, false);
  });

  it("proves nothing without a carry in the journal, or without a file", () => {
    assert.equal(untouched(folder, {}).holds, false);
    const { manifest } = carried();
    rmSync(join(folder, "core"), { recursive: true });
    rmSync(join(folder, "logical"), { recursive: true });
    assert.equal(untouched(folder, { entries: 0, manifest }).holds, false);
  });
});
