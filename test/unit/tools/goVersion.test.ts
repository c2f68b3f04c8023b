import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goProblem } from "../../../rehearsal/tools/goBuild";

describe("the Go that builds the tools", () => {
  const path = process.env["PATH"];
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "go-"));
    process.env["PATH"] = bin;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(bin, { recursive: true });
  });

  function problemOf(says: string): string | undefined {
    writeFileSync(join(bin, "go"), `#!/bin/sh\necho "${says}"\n`);
    chmodSync(join(bin, "go"), 0o755);
    return goProblem();
  }

  it("is refused where it is too old, before a build of 40 minutes fails with it", () => {
    assert.match(problemOf("go version go1.19.8 linux/amd64") ?? "", /is 1\.19; 1\.24 or newer is needed/);
    assert.match(problemOf("go version go1.23 linux/amd64") ?? "", /is 1\.23; /);
  });

  it("is taken from 1.24 on", () => {
    for (const version of ["go1.24", "go1.24.0", "go1.26rc1", "devel go1.25-abc123", "go2.0.1"])
      assert.equal(problemOf(`go version ${version} linux/amd64`), undefined, version);
  });

  it("is refused where it is absent or says no version", () => {
    assert.match(goProblem() ?? "", /not found on PATH; 1\.24 or newer/);
    assert.match(problemOf("something else") ?? "", /not known, since "go version" says "something else"/);
  });
});
