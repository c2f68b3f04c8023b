import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import {
  HELM_RELEASE_FILE,
  PLATFORM_TREE,
  platformObjects,
  releaseText,
  substitute,
  VARIABLES_FILE,
} from "../../rehearsal/source/platformFiles";

type Loose = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

describe("platform files of the source", () => {
  const objects = platformObjects() as Loose[];
  const release = objects.find(({ kind }) => kind === "HelmRelease")!;
  const policies = objects.filter(({ kind }) => kind === "NetworkPolicy");

  it("give the objects to apply, the namespace first", () => {
    assert.deepEqual(
      objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      [
        "Namespace/openbao",
        "NetworkPolicy/default-deny",
        "NetworkPolicy/allow-openbao",
        "HelmRepository/openbao",
        "HelmRelease/openbao",
      ],
    );
  });

  it("run one node on file storage, with every variable put in", () => {
    const { server } = release.spec.values;
    assert.equal(server.replicas, 1);
    assert.equal(server.standalone.enabled, true);
    assert.match(server.standalone.config, /storage "file"/);
    assert.equal(server.dataStorage.size, "10Gi");
    assert.doesNotMatch(JSON.stringify(objects), /\$\{/);
  });

  it("have no rule between OpenBao's own pods: stage network has to add it (H4)", () => {
    for (const { spec } of policies) {
      assert.deepEqual(spec.podSelector, {});
      for (const rule of spec.ingress ?? []) {
        for (const peer of rule.from)
          assert.deepEqual(peer.podSelector.matchLabels, { "openbao-client": "true" });
      }
      for (const rule of spec.egress ?? []) {
        for (const { port } of rule.ports)
          assert.ok([53, 443, 6443].includes(port), `egress to ${port} is open`);
      }
    }
  });

  it("do not put the unseal key into a process argument", () => {
    const hook = (release.spec.values.server.postStart as string[]).join("\n");
    assert.match(hook, /key=@"\$key"/);
    assert.doesNotMatch(hook, /operator unseal/);
  });

  it("differ with the one-try hook in the hook alone, and keep their comments", () => {
    const file = readFileSync(join(PLATFORM_TREE, HELM_RELEASE_FILE), "utf8");
    const once = releaseText(file, { hook: "once" });
    const start = file.split("\n").findIndex((line) => line.includes("postStart:"));
    assert.deepEqual(once.split("\n").slice(0, start + 4), file.split("\n").slice(0, start + 4));
    const hook = (text: string) => text.slice(text.indexOf("postStart:"), text.indexOf("dataStorage:"));
    assert.equal(once.replace(hook(once), ""), file.replace(hook(file), ""));
    assert.doesNotMatch(hook(once), /while/);
  });

  it("are what Git holds: the checkout has the same files, with comments and variables, on branch main", async () => {
    const folder = mkdtempSync(join(tmpdir(), "checkout-"));
    try {
      await makePlatformCheckout(folder);
      const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();
      assert.equal(git("rev-parse", "--abbrev-ref", "HEAD"), "main");
      assert.equal(git("status", "--porcelain"), "");
      const file = readFileSync(join(folder, HELM_RELEASE_FILE), "utf8");
      assert.match(file, /replicas: \$\{openbao_replicas:=1\}/);
      assert.match(readFileSync(join(folder, VARIABLES_FILE), "utf8"), /openbao_replicas: "1"/);
      assert.deepEqual(platformObjects(folder), objects);
      const head = git("rev-parse", "HEAD");
      await makePlatformCheckout(folder);
      assert.equal(git("rev-parse", "HEAD"), head);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are not written over files of somebody else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "checkout-"));
    try {
      writeFileSync(join(folder, "mine"), "");
      await assert.rejects(makePlatformCheckout(folder), /holds 1 file.*expected an empty or new folder/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("follow a changed variable", () => {
    const folder = mkdtempSync(join(tmpdir(), "tree-"));
    try {
      cpSync(PLATFORM_TREE, folder, { recursive: true });
      const file = join(folder, VARIABLES_FILE);
      writeFileSync(file, readFileSync(file, "utf8").replace("10Gi", "20Gi"));
      const changed = (platformObjects(folder) as Loose[]).at(-1)!;
      assert.equal(changed.spec.values.server.dataStorage.size, "20Gi");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("substitution of variables", () => {
  it("takes the value, else the default, and leaves shell variables alone", () => {
    assert.equal(substitute('${a} ${b:=two} ${a:=no} "$key" $(cmd)', { a: "1" }), '1 two 1 "$key" $(cmd)');
  });

  it("refuses a variable that has neither", () => {
    assert.throws(() => substitute("${gone}", {}), /variable "gone" has no value and no default/);
  });
});
