import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks, formatReport } from "../../components/gate/report";
import { writeKeyCopy } from "../../components/land/keyCopy";
import { RESEED } from "../support/carryHazards";
import { FakeSops, RULES } from "../support/fakeSops";
import { gitIn, gitTemplate, type Git } from "../support/gitTemplate";
import { configOf, ROOT_TOKEN, standaloneWorld, UNSEAL_KEY } from "../support/snapshotBuilder";

const FILE = "k8s/unseal.yaml";
const REF = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
const LIVE = { unsealKey: UNSEAL_KEY, rootToken: ROOT_TOKEN };
const OTHER = { unsealKey: "ab".repeat(32), rootToken: "another-token" };

const repository = gitTemplate("gate-git-key", (folder, git) => {
  writeFileSync(join(folder, "release.yaml"), "kind: HelmRelease\n");
  writeFileSync(join(folder, ".sops.yaml"), RULES);
  git("add", ".");
  git("commit", "-q", "-m", "test");
});

describe("the encrypted copy of the keys in Git (H6, I49)", () => {
  let folder: string;
  let sops: FakeSops;

  beforeEach(() => {
    folder = repository();
    sops = new FakeSops();
  });
  afterEach(() => {
    sops.remove();
    rmSync(folder, { recursive: true });
  });

  const git: Git = (...words) => gitIn(folder)(...words);

  function put(path: string, text: string): void {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
    git("add", "-f", path);
    git("commit", "-q", "-m", "test", "--", path);
  }

  async function holds(keys: typeof LIVE & { readonly resourceVersion?: string }): Promise<void> {
    const place = { checkout: folder, branch: "main", file: FILE, namespace: "openbao", secret: REF };
    await writeKeyCopy(place, keys, new Set(), () => Promise.resolve());
  }

  async function look(id: string, more: object = {}, among = checks) {
    const config = configOf({
      stage: "backup",
      git: { checkout: folder, helmRelease: "release.yaml", keySecret: FILE },
      ...more,
    });
    const { report } = judged({ ok: true, config }, config, await standaloneWorld().snapshot(config), among);
    const row = report.rows.find((one) => one.check.id === id);
    const text = formatReport(report);
    for (const secret of [...Object.values(LIVE), ...Object.values(OTHER)]) assert.ok(!text.includes(secret));
    return { outcome: row?.outcome, found: row?.judgement.found ?? "", blocks: blocks(report) };
  }

  it("passes when it holds the live keys", async () => {
    await holds(LIVE);
    assert.deepEqual(await look("git-key-generation"), {
      outcome: "PASS",
      found: "k8s/unseal.yaml: equal",
      blocks: false,
    });
  });

  it("takes the live Secret's resourceVersion, which may stand in any ciphertext, for no key in the open", async () => {
    await holds({ ...LIVE, resourceVersion: "2026" });
    assert.equal((await look("git-key-generation")).outcome, "PASS");
  });

  it("blocks another generation by name; without the check that goes through", async () => {
    await holds(OTHER);
    const seen = await look("git-key-generation");
    assert.equal(seen.blocks, true);
    assert.match(seen.found, /k8s\/unseal\.yaml: another generation than the live Secret/);
    const without = checks.filter(({ id }) => id !== "git-key-generation");
    assert.equal((await look("git-key-generation", {}, without)).blocks, false);
  });

  it("blocks one that lies in the open, one that is missing, and one that nobody here can read", async () => {
    assert.match((await look("git-key-generation")).found, /no such file/);
    await holds(LIVE);
    sops.holdIdentity(false);
    const unread = await look("git-key-generation");
    assert.deepEqual([unread.outcome, unread.blocks], ["UNKNOWN", true]);
    const open = { kind: "Secret", metadata: { name: REF.name }, stringData: { "unseal-key": UNSEAL_KEY } };
    put(FILE, JSON.stringify(open));
    assert.match((await look("git-key-generation")).found, /key "unseal-key" not encrypted/);
  });

  it("before a reseed may be missing, when sops is proved to be able to write it", async () => {
    assert.equal((await look("git-key-generation", RESEED)).outcome, "PASS");
    assert.equal((await look("git-key-sink", RESEED)).outcome, "PASS");
    sops.misbehave("leaves-open");
    const sink = await look("git-key-sink", RESEED);
    assert.deepEqual([sink.outcome, sink.blocks], ["FAIL", true]);
    assert.match(sink.found, /not encrypted/);
    const without = checks.filter(({ id }) => !["git-key-sink", "reseed-templates"].includes(id));
    assert.equal((await look("git-key-sink", RESEED, without)).blocks, false);
  });

  it("left by a killed run is no foreign change in the checkout", async () => {
    await holds(LIVE);
    await holds(OTHER);
    git("reset", "-q", "--soft", "HEAD~1");
    assert.equal((await look("git-clean", { stage: "land" })).found.includes("unseal"), false);
  });
});
