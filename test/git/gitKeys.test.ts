import assert from "node:assert/strict";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refused, runBeats, type StepContext } from "../../components/steps/runStep";
import { gitKeys } from "../../components/steps/scripts/gitKeys";
import { base64, EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { FakeSops, RULES, type SopsFault } from "../support/fakeSops";
import { LandingCheckout } from "../support/landingCheckout";
import { filesWith, forms } from "../../rehearsal/leaks/leakScan";

const FILE = "k8s/openbao/unseal.sops.yaml";
const NEW_KEY = "canary-key-0123456789abcdef0123456789ab";
const NEW_TOKEN = "canary-token-s.0123456789abcdef";
const KEYS = { "unseal-key": base64(NEW_KEY), "root-token": base64(NEW_TOKEN) };
const OLD = { "unseal-key": base64("old-key-of-the-store-before"), "root-token": base64("old-token-before") };
const ESCROW = "/api/v1/namespaces/openbao/secrets/openbao-unseal-before-reseed";

describe("step git-keys: the key Secret's copy in Git, encrypted by SOPS (hazards H6, I49), with a fake sops", () => {
  let sops: FakeSops;
  let made: LandingCheckout;
  let empty: EmptyStoreWorld;

  beforeEach(async () => {
    sops = new FakeSops();
    made = await LandingCheckout.make();
    empty = await new EmptyStoreWorld("reseed", "git-keys").ready();
    empty.world.kube.put(KEY_SECRET, { data: KEYS }).put(ESCROW, { data: OLD });
    put(".sops.yaml", RULES);
  });
  afterEach(() => {
    sops.remove();
    made.remove();
    empty.remove();
  });

  function put(file: string, text: string): void {
    writeFileSync(join(made.plan.checkout, file), text);
    made.git("add", "--", file);
    made.commitAll();
  }

  function context(path: StepContext["input"]["path"] = "reseed"): StepContext {
    const { checkout, branch, helmRelease, replicasVariable } = made.plan;
    const git = { checkout, branch, helmRelease, replicasVariable, push: false, keySecret: FILE };
    return { ...empty.context, input: { ...empty.context.input, path, git } };
  }
  const run = (path?: StepContext["input"]["path"]) => runBeats(gitKeys, context(path));
  const live = (data: object) => empty.world.kube.put(KEY_SECRET, { data });

  async function refuses(words: RegExp, path?: StepContext["input"]["path"]): Promise<void> {
    const head = made.git("for-each-ref", "--format=%(refname) %(objectname)");
    await assert.rejects(run(path), (error: unknown) => {
      assert.equal(error instanceof Refused, true, String(error));
      assert.match(String(error), words);
      for (const secret of [NEW_KEY, NEW_TOKEN]) assert.equal(String(error).includes(secret), false);
      return true;
    });
    assert.equal(made.git("status", "--porcelain"), "");
    assert.deepEqual(made.git("log", "--all", "--format=%s", "--", FILE), "", head);
  }

  it("writes the new keys as one commit of its own, reads them back, and finds itself done afterwards", async () => {
    const { result, observed } = await run();
    assert.equal(result, "done");
    assert.deepEqual([observed["compared"], observed["recipients"], observed["file"]], [true, 1, FILE]);
    assert.equal(
      made.git("log", "--format=%s", "main..openbao-raft"),
      "feat(openbao): keep the new unseal key, encrypted by SOPS",
    );
    assert.equal(made.git("status", "--porcelain"), "");
    assert.equal((await run()).result, "already-done");
    assert.equal(made.git("rev-list", "--count", "main..openbao-raft"), "1");
  });

  it("writes nothing once its Lease is lost (F9, F10)", async () => {
    let looks = 0;
    const assertHeld = () =>
      ++looks === 1 ? Promise.resolve() : Promise.reject(new Error("lost the Lease"));
    const asked = context();
    await assert.rejects(runBeats(gitKeys, { ...asked, fence: { ...asked.fence, assertHeld } }), /lost/);
    assert.equal(made.git("log", "--all", "--format=%s", "--", FILE), "");
  });

  it("gives the keys to sops on standard input alone: they are in no argument, environment, file or log", async () => {
    const log: string[] = [];
    await runBeats(gitKeys, { ...context(), log: (line) => void log.push(line) });
    const secrets = [NEW_KEY, NEW_TOKEN].flatMap(forms);
    const said = [JSON.stringify(sops.calls()), JSON.stringify(empty.world.kube.writes), ...log].join("\n");
    assert.ok(sops.calls().length >= 2);
    for (const secret of secrets) assert.equal(said.includes(secret), false, secret);
    // The whole checkout with Git's own folder: objects, index, what a draft would have left.
    assert.deepEqual(filesWith(secrets, [made.dir]), []);
  });

  it("shows encryption neither the user's identity nor recipients from the environment", async () => {
    process.env["SOPS_AGE_RECIPIENTS"] = "age1somebodyelse";
    try {
      await run();
    } finally {
      delete process.env["SOPS_AGE_RECIPIENTS"];
    }
    const encrypting = sops.calls().filter(({ argv }) => argv.includes("encrypt"));
    assert.equal(encrypting.length, 1);
    assert.equal(encrypting[0]!.environ.includes("SOPS_"), false);
    assert.deepEqual(encrypting[0]!.argv.slice(0, 2), ["--config", join(made.plan.checkout, ".sops.yaml")]);
  });

  it("writes over a copy of the store before, and keeps what else is in it", async () => {
    live(OLD);
    await run();
    live(KEYS);
    const { observed } = await run();
    assert.equal(observed["compared"], true);
    assert.equal(made.git("rev-list", "--count", "main..openbao-raft"), "2");
  });

  it("refuses a copy of a third generation by name, before anything", async () => {
    live({ "unseal-key": base64("a-third-key-of-nobody"), "root-token": base64("a-third-token") });
    await run();
    live(KEYS);
    await assert.rejects(
      run(),
      /unseal\.sops\.yaml" in Git holds another generation of keys than Secret "openbao-unseal"/,
    );
    assert.equal(made.git("rev-list", "--count", "main..openbao-raft"), "1");
  });

  it("without an identity says that the content was not compared, and knows its own file again", async () => {
    sops.holdIdentity(false);
    const { observed } = await run();
    assert.equal(observed["compared"], false);
    assert.equal((await run()).result, "already-done");
    assert.equal(made.git("rev-list", "--count", "main..openbao-raft"), "1");
  });

  it("killed between its file and the commit: the next run commits what the journal announced", async () => {
    await run();
    const text = readFileSync(join(made.plan.checkout, FILE), "utf8");
    made.git("reset", "--quiet", "--hard", "HEAD~1");
    await import("node:fs/promises").then((fs) =>
      fs.mkdir(join(made.plan.checkout, "k8s/openbao"), { recursive: true }),
    );
    writeFileSync(join(made.plan.checkout, FILE), text);
    sops.holdIdentity(false);
    await run();
    assert.equal(made.git("show", `HEAD:${FILE}`), text.trim());
  });

  it("does not take somebody's own uncommitted file for its own", async () => {
    await run();
    writeFileSync(join(made.plan.checkout, FILE), "kind: Secret # mine\n");
    live({ "unseal-key": base64("again-new-keys-here"), "root-token": base64("again") });
    empty.world.kube.put(ESCROW, { data: KEYS });
    await assert.rejects(run(), /changes that are not committed \(k8s\/openbao\/unseal\.sops\.yaml\)/);
    assert.equal(readFileSync(join(made.plan.checkout, FILE), "utf8"), "kind: Secret # mine\n");
  });

  const faults: [SopsFault, RegExp][] = [
    ["leaves-open", /key "unseal-key" not encrypted, key "root-token" not encrypted, a key in the open/],
    ["stranger", /a recipient that \.sops\.yaml does not name \(age1stranger/],
    ["no-mac", /no authentication code/],
    ["encrypts-all", /set encrypted_regex to \^\(data\|stringData\)\$/],
    ["quotes-input", /its words repeat the input and are left out/],
  ];
  for (const [fault, words] of faults) {
    it(`writes nothing when sops ${fault}`, async () => {
      sops.misbehave(fault);
      await refuses(words);
    });
  }

  it("refuses without rules in the checkout, whatever lies above it", async () => {
    made.git("rm", "--quiet", ".sops.yaml");
    made.commitAll();
    writeFileSync(join(made.dir, ".sops.yaml"), RULES);
    await refuses(/no \.sops\.yaml in the checkout/);
  });

  it("refuses a folder that is a link: it could lead out of the checkout", async () => {
    symlinkSync(made.dir, join(made.plan.checkout, "k8s/openbao"));
    made.git("add", "k8s/openbao");
    made.commitAll();
    await refuses(/found a link/);
  });

  it("says which program is missing", async () => {
    const { PATH } = process.env;
    process.env["PATH"] = "/usr/bin:/bin";
    try {
      await refuses(/sops: found no such program on PATH, expected sops 3\.10 or newer/);
    } finally {
      process.env["PATH"] = PATH;
    }
  });

  describe("where the keys stay valid (carry migrate)", () => {
    it("only compares: an equal copy is done, and nothing is written", async () => {
      await run();
      const head = made.git("rev-parse", "openbao-raft");
      const { result, observed } = await run("migrate");
      assert.deepEqual([result, observed["compared"]], ["already-done", true]);
      assert.equal(made.git("rev-parse", "openbao-raft"), head);
    });

    it("refuses a missing copy and one of another generation, by name", async () => {
      await refuses(/Git has no file "k8s\/openbao\/unseal\.sops\.yaml"/, "migrate");
      await run();
      live(OLD);
      await assert.rejects(run("migrate"), /another generation of keys/);
    });

    it("refuses a copy whose key lies in the open", async () => {
      const text = JSON.stringify({ kind: "Secret", metadata: { name: "openbao-unseal" }, data: KEYS });
      await import("node:fs/promises").then((fs) => fs.mkdir(join(made.plan.checkout, "k8s/openbao")));
      put(FILE, text);
      await assert.rejects(run("migrate"), /key "unseal-key" not encrypted/);
    });
  });
});
