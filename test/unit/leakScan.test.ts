import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CANARY } from "../../rehearsal/source/content";
import { filesWith, forms } from "../../rehearsal/leaks/leakScan";

const SECRET = "canary-7Qk/2+x=end";

describe("the leak scan", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "leak-scan-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  for (const [what, text] of [
    ["plain", `a ${SECRET} b`],
    ["base64", Buffer.from(SECRET).toString("base64")],
    ["base64 inside other text", Buffer.from(`{"key":"${SECRET}"}`).toString("base64")],
    ["base64 of the URL's alphabet", Buffer.from(`{"key":"${SECRET}"}`).toString("base64url")],
    ["hex", Buffer.from(SECRET).toString("hex")],
    ["hex in capitals", Buffer.from(SECRET).toString("hex").toUpperCase()],
    ["with escaped slashes", `"${SECRET.replaceAll("/", "\\/")}"`],
    ["URL-escaped", encodeURIComponent(SECRET)],
  ] as const) {
    it(`finds a secret written ${what}`, () => {
      writeFileSync(join(dir, "file"), text);
      assert.deepEqual(filesWith(forms(SECRET), [dir]), [join(dir, "file")]);
    });
  }

  for (const shift of [0, 1, 2])
    it(`finds the mark of each generated value in base64 at alignment ${shift}, by what the scans of the cluster look for`, () => {
      const text = Buffer.from(`${"y".repeat(shift)}${CANARY}secret-0123`).toString("base64");
      writeFileSync(join(dir, "file"), `{"data":"${text}"}`);
      assert.deepEqual(filesWith(forms(CANARY), [dir]), [join(dir, "file")]);
    });

  it("takes no other bird for the mark", () => {
    writeFileSync(join(dir, "file"), Buffer.from("a canary bird, and a canaryseed").toString("base64"));
    assert.deepEqual(filesWith(forms(CANARY), [dir]), []);
  });

  it("finds a secret in a gzip file", () => {
    writeFileSync(join(dir, "file.gz"), gzipSync(`a ${SECRET} b`));
    assert.deepEqual(filesWith(forms(SECRET), [dir]), [join(dir, "file.gz")]);
  });

  it("finds a secret in an object of Git, which is compressed", () => {
    const git = (...args: string[]) => execFileSync("git", ["-C", dir, ...args], { input: `a ${SECRET} b` });
    git("init", "-q");
    const id = git("hash-object", "-w", "--stdin").toString().trim();
    assert.deepEqual(filesWith(forms(SECRET), [dir]), [
      join(dir, ".git/objects", id.slice(0, 2), id.slice(2)),
    ]);
  });

  it("finds a secret that lies across two pieces of a large file", () => {
    writeFileSync(join(dir, "log"), `${"x".repeat((4 << 20) - 5)}${SECRET}${"y".repeat(1000)}`);
    assert.deepEqual(filesWith(forms(SECRET), [dir]), [join(dir, "log")]);
  });

  it("finds nothing in a file without the secret", () => {
    writeFileSync(join(dir, "file"), "canary");
    assert.deepEqual(filesWith(forms(SECRET), [dir]), []);
  });
});
