import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { filesWith, forms } from "../support/leakScan";

const SECRET = "canary-7Qk/2+x=end";

describe("the leak scan", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "leak-scan-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  for (const [what, text] of [
    ["plain", `a ${SECRET} b`],
    ["base64", Buffer.from(SECRET).toString("base64")],
    ["base64 inside other text", Buffer.from(`{"key":"${SECRET}"}`).toString("base64")],
    ["hex", Buffer.from(SECRET).toString("hex")],
    ["URL-escaped", encodeURIComponent(SECRET)],
  ] as const) {
    it(`finds a secret written ${what}`, () => {
      writeFileSync(join(dir, "file"), text);
      assert.deepEqual(filesWith(forms(SECRET), [dir]), [join(dir, "file")]);
    });
  }

  it("finds a secret in a gzip file", () => {
    writeFileSync(join(dir, "file.gz"), gzipSync(`a ${SECRET} b`));
    assert.deepEqual(filesWith(forms(SECRET), [dir]), [join(dir, "file.gz")]);
  });

  it("finds nothing in a file without the secret", () => {
    writeFileSync(join(dir, "file"), "canary");
    assert.deepEqual(filesWith(forms(SECRET), [dir]), []);
  });
});
