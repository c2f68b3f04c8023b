import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { seeKeyCopy, tryKeySink, writeKeyCopy, type KeyCopyPlace } from "../../components/land/keyCopy";
import { ageIdentity } from "../../rehearsal/source/ageIdentity";
import { watchProcesses, type ProcessWatch } from "../../rehearsal/processWatch";
import { locate } from "../../rehearsal/tools/locate";
import { partOf } from "../../rehearsal/tools/toolList";
import { toolPath } from "../../rehearsal/tools/tools";
import { LandingCheckout } from "../support/landingCheckout";
import { filesWith, forms, textsWith } from "../../rehearsal/leaks/leakScan";

/* What the copy of the keys in Git relies on in the real sops and in age. */

const there = locate(partOf("sops")).found !== undefined;
const FILE = "k8s/openbao/unseal.sops.yaml";
const KEYS = { unsealKey: "canary-0e0123456789abcdef0123456789abcd", rootToken: "s.canary-token-yes" };
const SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };

const title = there ? "" : " (SKIPPED: no sops on PATH, and none is built)";
(there ? describe : describe.skip)(`sops contract${title}`, () => {
  let made: LandingCheckout;
  let place: KeyCopyPlace;
  const { identity, recipient } = ageIdentity();
  const saved = { PATH: process.env["PATH"], SOPS_AGE_KEY_FILE: process.env["SOPS_AGE_KEY_FILE"] };

  before(() => {
    process.env["PATH"] = [dirname(toolPath("sops")), saved.PATH ?? ""].join(delimiter);
  });
  beforeEach(async () => {
    made = await LandingCheckout.make();
    place = {
      checkout: made.plan.checkout,
      branch: "openbao-raft",
      file: FILE,
      namespace: "openbao",
      secret: SECRET,
    };
    writeFileSync(join(made.dir, "identity"), `${identity}\n`, { mode: 0o600 });
    hold(true);
    rules(`encrypted_regex: ^(data|stringData)$\n    age: ${recipient}`);
  });
  afterEach(() => made.remove());
  after(() => {
    for (const [name, value] of Object.entries(saved)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  function hold(held: boolean): void {
    process.env["SOPS_AGE_KEY_FILE"] = join(made.dir, held ? "identity" : "none");
    if (!held) writeFileSync(join(made.dir, "none"), `${ageIdentity().identity}\n`, { mode: 0o600 });
  }

  function rules(body: string): void {
    writeFileSync(
      join(made.plan.checkout, ".sops.yaml"),
      `creation_rules:\n  - path_regex: ^k8s/.*\\.yaml$\n    ${body}\n`,
    );
    made.git("add", ".sops.yaml");
    made.commitAll();
  }
  const write = () => writeKeyCopy(place, KEYS, new Set(), () => Promise.resolve());

  it("is written, read back as the same, and opened by sops itself as the Secret that Flux would apply", async () => {
    const seen = await write();
    assert.equal(seen.state, "same");
    assert.deepEqual(seen.recipients, [recipient]);
    const opened = execFileSync("sops", ["decrypt", "--output-type", "json", join(made.plan.checkout, FILE)]);
    assert.deepEqual(JSON.parse(opened.toString()), {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "openbao-unseal", namespace: "openbao" },
      type: "Opaque",
      stringData: { "unseal-key": KEYS.unsealKey, "root-token": KEYS.rootToken },
    });
  });

  it("tells another generation, and says so where no identity opens it", async () => {
    await write();
    assert.equal((await seeKeyCopy(place, { ...KEYS, unsealKey: "another" })).state, "differs");
    assert.equal((await seeKeyCopy(place, { ...KEYS, unsealKey: "another" }, KEYS)).state, "old");
    hold(false);
    assert.equal((await seeKeyCopy(place, KEYS)).state, "unreadable");
  });

  it("that was changed by one character is refused: the authentication code is checked", async () => {
    await write();
    const file = join(made.plan.checkout, FILE);
    const text = readFileSync(file, "utf8").replace("namespace: openbao", "namespace: openbaz");
    writeFileSync(file, text);
    made.commitAll();
    // Only a MAC over the whole file sees what lies in the open.
    await assert.rejects(seeKeyCopy(place, KEYS), /sops decrypt ended with (51|1) /);
  });

  it("is not written by a rule that leaves values in the open, and not without a rule for its path", async () => {
    rules(`encrypted_regex: ^data$\n    age: ${recipient}`);
    await assert.rejects(write(), /key "unseal-key" not encrypted/);
    await assert.rejects(tryKeySink({ ...place, file: "elsewhere/key.yaml" }), /sops encrypt ended with/);
    assert.equal(made.git("status", "--porcelain"), "");
  });

  it("leaves the keys in no file, argument or environment (sampled while sops runs)", async () => {
    const secrets = Object.values(KEYS).flatMap(forms);
    const watch: ProcessWatch = watchProcesses(process.pid, { everyMs: 2 });
    await write();
    const seen = await watch.stop();
    assert.ok(
      seen.some(({ text }) => text.includes(" encrypt ")),
      "no sops was seen",
    );
    assert.deepEqual(textsWith(secrets, seen), []);
    assert.deepEqual(filesWith(secrets, [made.dir]), []);
  });
});
