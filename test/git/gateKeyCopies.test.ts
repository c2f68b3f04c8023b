import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { formatReport } from "../../components/gate/report";
import { gitIn, gitTemplate, type Git } from "../support/gitTemplate";
import { base64, configOf, standaloneWorld, UNSEAL_KEY } from "../support/snapshotBuilder";

const OTHER = "ab".repeat(32);

const repository = gitTemplate("gate-key-copies", (folder, git) => {
  const text = "kind: HelmRelease\nmetadata: {name: openbao}\n# openbao-unseal\n";
  writeFileSync(join(folder, "release.yaml"), text);
  git("add", "release.yaml");
});

describe("copies of the key in Git (H6)", () => {
  let folder: string;

  beforeEach(() => {
    folder = repository();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const git: Git = (...words) => gitIn(folder)(...words);

  function add(path: string, text: string): void {
    writeFileSync(join(folder, path), text);
    git("add", "-f", path);
  }

  function secret(fields: object): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "openbao-unseal" },
      ...fields,
    });
  }

  async function look(among = checks, more: object = {}, id = "key-copies") {
    const git = { checkout: folder, helmRelease: "release.yaml" };
    const config = configOf({ stage: "cutover", git, ...more });
    const { report } = judged({ ok: true, config }, config, await standaloneWorld().snapshot(config), among);
    const row = report.rows.find((one) => one.check.id === id);
    return { outcome: row?.outcome, found: row?.judgement.found ?? "", text: formatReport(report) };
  }

  it("are none in a checkout without such a Secret", async () => {
    assert.deepEqual([(await look()).outcome, (await look()).found], ["PASS", "none in Git"]);
  });

  it("pass when they hold the live key, as data or as stringData", async () => {
    add("a.yaml", secret({ data: { "unseal-key": base64(UNSEAL_KEY) } }));
    add("b.yml", `---\nkind: ConfigMap\n---\n${secret({ stringData: { "unseal-key": `${UNSEAL_KEY}\n` } })}`);
    assert.deepEqual([(await look()).outcome, (await look()).found], ["PASS", "2 equal"]);
  });

  const plants: [string, object, RegExp][] = [
    ["another key", { data: { "unseal-key": base64(OTHER) } }, /k\.yaml: another key/],
    ["no key", { data: {} }, /k\.yaml: no key/],
    [
      "a SOPS file, whose key nobody knows",
      { data: { "unseal-key": "ENC[AES256_GCM,data:x]" }, sops: { version: "3" } },
      /k\.yaml: encrypted/,
    ],
  ];
  for (const [title, fields, found] of plants) {
    it(`warn of ${title}; without the check that goes through`, async () => {
      add("k.yaml", secret(fields));
      const seen = await look();
      assert.equal(seen.outcome, "WARN");
      assert.match(seen.found, found);
      assert.ok(!seen.text.includes(OTHER) && !seen.text.includes(UNSEAL_KEY));
      const without = await look(checks.filter((check) => !check.id.startsWith("key-copies")));
      assert.doesNotMatch(without.text, found);
    });
  }

  describe("of another generation than the live Secret (H6, I49)", () => {
    const generation = async (more: object = {}) => {
      const { outcome, found, text } = await look(checks, more, "key-copies-generation");
      return { outcome, found, text };
    };

    it("stop the cutover, and a waiver with a reason lets it go on", async () => {
      add("k.yaml", secret({ data: { "unseal-key": base64(OTHER) } }));
      const seen = await generation();
      assert.deepEqual([seen.outcome, seen.found], ["FAIL", "k.yaml: another key"]);
      assert.ok(!seen.text.includes(OTHER) && !seen.text.includes(UNSEAL_KEY));
      const waiver = {
        check: "key-copies-generation",
        reason: "of the other cluster",
        expires: "2026-12-31",
      };
      assert.equal((await generation({ waivers: [waiver] })).outcome, "WAIVED");
    });

    it("are no matter for new keys, nor while nobody knows what an encrypted one holds", async () => {
      add("k.yaml", secret({ data: { "unseal-key": "ENC[AES256_GCM,data:x]" }, sops: { version: "3" } }));
      assert.equal((await generation()).outcome, "PASS");
      add("k.yaml", secret({ data: { "unseal-key": base64(OTHER) } }));
      const reseed = { jobs: [{ kind: "CronJob", name: "fill", rebuilds: [] }], discard: [] };
      assert.equal((await generation({ carry: "reseed", reseed })).outcome, "NONE");
    });
  });

  it("are not looked for behind a link that leads out", async () => {
    const outside = mkdtempSync(join(tmpdir(), "gate-outside-"));
    writeFileSync(join(outside, "s.yaml"), secret({ data: { "unseal-key": base64(OTHER) } }));
    symlinkSync(join(outside, "s.yaml"), join(folder, "openbao-unseal.yaml"));
    git("add", "openbao-unseal.yaml");
    assert.equal((await look()).outcome, "PASS");
    rmSync(outside, { recursive: true });
  });

  it("are not known when the folder is no repository, and do not end the program", async () => {
    rmSync(join(folder, ".git"), { recursive: true });
    assert.equal((await look()).outcome, "WARN");
  });
});
