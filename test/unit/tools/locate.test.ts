import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { locate, partDir, pulumiHome, toolPath } from "../../../rehearsal/tools/locate";
import { formatRows, toolRows } from "../../../rehearsal/tools/table";
import { partOf, type ToolPart } from "../../../rehearsal/tools/toolList";

describe("finding tools", () => {
  const before = {
    PATH: process.env["PATH"],
    XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"],
    HOME: process.env["HOME"],
  };
  let dir: string;
  let bin: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tools-"));
    bin = join(dir, "bin");
    mkdirSync(bin);
    Object.assign(process.env, { PATH: bin, XDG_CACHE_HOME: join(dir, "cache"), HOME: dir });
    delete process.env["PULUMI_HOME"];
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(dir, { recursive: true });
  });

  function fake(path: string, answer = ""): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho '${answer}'\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it("uses what is on PATH in a fitting version before the cache", () => {
    fake(join(partDir(partOf("helm")), "helm"));
    const own = fake(join(bin, "helm"), "v3.18.0");
    assert.equal(toolPath("helm"), own);
  });

  it("uses the cache when PATH has another version", () => {
    const built = fake(join(partDir(partOf("bao")), "bao"));
    fake(join(bin, "bao"), "OpenBao v2.5.0");
    assert.equal(toolPath("bao"), built);
  });

  it("tells which unfit version was seen when there is no other", () => {
    const own = fake(join(bin, "bao"), "OpenBao v2.5.0");
    assert.deepEqual(locate(partOf("bao")), {
      found: undefined,
      unfit: { path: own, why: "its version is 2.5.0, and 2.4.x is needed" },
    });
  });

  it("takes a part of several binaries only whole", () => {
    for (const name of partOf("kubelet").binaries.slice(1)) fake(join(bin, name), "Kubernetes v1.34.1");
    assert.equal(locate(partOf("kubelet")).found, undefined);
    fake(join(bin, "kube-apiserver"), "Kubernetes v1.34.1");
    assert.equal(locate(partOf("kubelet")).found?.version, "1.34.1");
  });

  it("takes a language host from PATH only beside the CLI that is used", () => {
    fake(join(bin, "pulumi-language-nodejs"));
    assert.equal(locate(partOf("pulumi-language-nodejs")).found, undefined);
    fake(join(bin, "pulumi"), "v3.260.1");
    assert.equal(toolPath("pulumi-language-nodejs"), join(bin, "pulumi-language-nodejs"));
  });

  it("takes a plugin of the user's in the wanted version, and no other", () => {
    const name = "pulumi-resource-kubernetes";
    fake(join(dir, ".pulumi", "plugins", "resource-kubernetes-v4.24.0", name));
    assert.equal(locate(partOf(name)).found, undefined);
    const own = fake(join(dir, ".pulumi", "plugins", "resource-kubernetes-v4.25.0", name));
    assert.equal(toolPath(name), own);
  });

  it("still takes the user's plugin in a process that runs with the project's Pulumi home", () => {
    process.env["PULUMI_HOME"] = pulumiHome();
    const name = "pulumi-resource-command";
    const own = fake(join(dir, ".pulumi", "plugins", "resource-command-v1.2.1", name));
    try {
      assert.equal(toolPath(name), own);
    } finally {
      delete process.env["PULUMI_HOME"];
    }
  });

  it("rejects a busybox that would not run alone in an image", () => {
    const part: ToolPart = { ...partOf("busybox"), name: "busybox-under-test", alsoIn: [] };
    copyFileSync(process.execPath, join(bin, "busybox"));
    assert.equal(locate(part).unfit?.why, "it is not static");
  });

  it("tells what to run when a tool is missing", () => {
    assert.throws(
      () => toolPath("coredns"),
      /"coredns" \(coredns >=1\.11\.0 <2\) was not found\. Run: npm run tools/,
    );
  });

  it("prints part, wanted, found and from where, and marks what is missing", () => {
    fake(join(bin, "helm"), "v3.18.0");
    const rows = toolRows([partOf("helm"), partOf("coredns")]);
    assert.deepEqual(
      rows.map((row) => row.missing),
      [false, true],
    );
    assert.equal(
      formatRows(rows),
      [
        "PART     WANTED       FOUND    FROM WHERE",
        `helm     >=3.14.0 <4  3.18.0   PATH: ${bin}`,
        "coredns  >=1.11.0 <2  missing  npm run tools builds 1.13.1",
      ].join("\n"),
    );
  });
});
