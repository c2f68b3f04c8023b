import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, imageKey } from "../../../rehearsal/cluster/images";
import type { ImageSpec } from "../../../rehearsal/cluster/imageSpecs";
import { tarHeader, writeTar, type TarEntry } from "../../../rehearsal/cluster/tar";

describe("hand-made images", () => {
  let folder: string;
  let cacheHome: string | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "image-"));
    cacheHome = process.env["XDG_CACHE_HOME"];
    process.env["XDG_CACHE_HOME"] = folder;
    writeFileSync(join(folder, "program"), "program text");
  });
  afterEach(async () => {
    if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = cacheHome;
    rmSync(folder, { recursive: true });
  });

  const entries = (): TarEntry[] => [
    { kind: "directory", path: "data", mode: 0o755, uid: 100, gid: 1000 },
    { kind: "copy", path: "bin/program", mode: 0o755, source: join(folder, "program") },
    { kind: "link", path: "bin/alias", mode: 0o777, target: "/bin/program" },
  ];
  const spec = (): ImageSpec => ({
    name: "example.test/app:1",
    entries: entries(),
    entrypoint: ["/bin/program"],
  });

  it("hold owners, modes and links that tar reads back", async () => {
    writeTar(join(folder, "a.tar"), entries());
    const listing = execFileSync("tar", ["--numeric-owner", "-tvf", join(folder, "a.tar")], {
      encoding: "utf8",
    });
    assert.match(listing, /^drwxr-xr-x 100\/1000 .* data\/$/m);
    assert.match(listing, /^-rwxr-xr-x 0\/0 +12 .* bin\/program$/m);
    assert.match(listing, /bin\/alias -> \/bin\/program$/m);
  });

  it("are equal byte for byte when made twice", async () => {
    assert.equal(writeTar(join(folder, "a.tar"), entries()), writeTar(join(folder, "b.tar"), entries()));
    assert.deepEqual(readFileSync(join(folder, "a.tar")), readFileSync(join(folder, "b.tar")));
  });

  it("refuse a path that the archive cannot hold", async () => {
    assert.throws(() => tarHeader({ kind: "directory", path: "x".repeat(100), mode: 0o755 }, 0), /101 bytes/);
  });

  it("get another key when a copied program changes", async () => {
    const before = imageKey(spec());
    assert.equal(imageKey(spec()), before);
    writeFileSync(join(folder, "program"), "another text");
    assert.notEqual(imageKey(spec()), before);
  });

  it("replace the older build of their name in the cache", async () => {
    const first = buildImage(spec());
    writeFileSync(join(folder, "program"), "another text");
    const second = buildImage(spec());
    assert.notEqual(first.file, second.file);
    assert.deepEqual(readdirSync(join(folder, "openbao-raft-migration", "images")), [
      second.file.split("/").pop(),
    ]);
  });

  it("carry the name that pods ask for", async () => {
    const { file } = buildImage(spec());
    const manifest = execFileSync("tar", ["-xOf", file, "manifest.json"], { encoding: "utf8" });
    assert.deepEqual((JSON.parse(manifest) as { RepoTags: string[] }[])[0]?.RepoTags, ["example.test/app:1"]);
  });
});
