import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { land, landedAlready, type LandPlan } from "../../components/land/landing";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";
import { LandingCheckout } from "../support/landingCheckout";

describe("landing in Git (hazard F69)", () => {
  let made: LandingCheckout;
  let dir: string;
  let checkout: string;
  let plan: LandPlan;

  beforeEach(async () => {
    made = await LandingCheckout.make();
    ({ dir, plan } = made);
    ({ checkout } = plan);
  });
  afterEach(() => made.remove());

  const git = (...args: string[]) => made.git(...args);
  const commitAll = () => made.commitAll();
  const release = () => made.release;
  const read = (file: string) => made.read(file);

  it("makes one commit a theme, the count first (Raft never asks for one node), and leaves main as it was", async () => {
    const main = git("rev-parse", "main");
    const result = await land(plan);
    assert.equal(git("rev-parse", "main"), main);
    assert.deepEqual(git("log", "--format=%s", "main..openbao-raft").split("\n"), [
      "feat(openbao): run on Raft with 3 nodes",
      "feat(openbao): ask for 3 replicas",
    ]);
    assert.deepEqual(result.changed, [VARIABLES_FILE, HELM_RELEASE_FILE]);
    const server = result.values["server"] as { ha: { replicas: unknown }; standalone: { enabled: unknown } };
    assert.equal(server.ha.replicas, 3);
    assert.equal(server.standalone.enabled, false);
  });

  it("puts the Talos rule into the file of the config, as a commit of its own, before the others (F44)", async () => {
    const file = "talos/patches.yaml";
    mkdirSync(join(checkout, "talos"));
    writeFileSync(join(checkout, file), "# patches\n");
    git("add", file);
    commitAll();
    const result = await land({ ...plan, talos: { file, nodeSubnets: ["10.0.0.0/24"] } });
    assert.equal(result.commits[0], "feat(talos): let nodes reach nodes on OpenBao's Raft ports");
    assert.match(readFileSync(join(checkout, file), "utf8"), /^# patches\n.*name: openbao-raft\n/s);
    assert.deepEqual(git("show", "--format=", "--name-only", "HEAD~2"), file);
    assert.deepEqual((await land({ ...plan, talos: { file, nodeSubnets: ["10.0.0.0/24"] } })).commits, []);
  });

  it("finds nothing to do the second time", async () => {
    const first = await land(plan);
    const second = await land(plan);
    assert.deepEqual(second.commits, []);
    assert.deepEqual(second.changed, []);
    assert.equal(second.head, first.head);
  });

  it("sees from any branch whether all has landed", async () => {
    assert.equal(await landedAlready(plan), false);
    await land(plan);
    git("switch", "--quiet", "main");
    assert.equal(await landedAlready(plan), true);
    assert.equal(await landedAlready({ ...plan, replicas: 5 }), false);
    assert.equal(git("branch", "--show-current"), "main");
  });

  it("makes both edits where release and variables stand in one file", async () => {
    const variables = readFileSync(join(checkout, VARIABLES_FILE), "utf8").replace(/^---\n/, "");
    writeFileSync(release(), `${read(HELM_RELEASE_FILE)}---\n${variables}`);
    commitAll();
    const { values, commits } = await land({ ...plan, variables: HELM_RELEASE_FILE });
    assert.equal(commits.length, 2);
    const server = values["server"] as { ha: { replicas: unknown }; standalone: { enabled: unknown } };
    assert.equal(server.ha.replicas, 3);
    assert.equal(server.standalone.enabled, false);
  });

  it("commits as the user that git's config names, and as itself when it names none", async () => {
    const before = { ...process.env };
    for (const key of Object.keys(process.env).filter((name) => /^(GIT_|EMAIL$)/.test(name))) {
      delete process.env[key];
    }
    process.env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    process.env["GIT_CONFIG_NOSYSTEM"] = "1";
    try {
      const author = (): string => git("log", "-1", "--format=%an <%ae>");
      for (const key of ["user.name", "user.email"]) git("config", "--local", key, "");
      await land(plan);
      assert.equal(author(), "openbao-raft-migration <openbao-raft-migration@localhost>");
      git("config", "--local", "user.name", "Ann");
      git("config", "--local", "user.email", "ann@localhost");
      await land({ ...plan, replicas: 5 });
      assert.equal(author(), "Ann <ann@localhost>");
    } finally {
      for (const key of Object.keys(process.env)) delete process.env[key];
      Object.assign(process.env, before);
    }
  });

  it("lets the user's hook refuse, with its words, and leaves a clean tree", async () => {
    const hook = join(checkout, ".git/hooks/pre-commit");
    mkdirSync(join(checkout, ".git/hooks"), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\necho lint says no >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    await assert.rejects(land(plan), { name: "LandRefusal", message: /lint says no/ });
    assert.equal(git("status", "--porcelain"), "");
    rmSync(hook);
    assert.equal((await land(plan)).commits.length, 2);
  });

  it("makes no branch for a file that it does not understand", async () => {
    writeFileSync(release(), read(HELM_RELEASE_FILE).replace("kind: HelmRelease", "kind: Other"));
    commitAll();
    await assert.rejects(land(plan), { name: "LandRefusal", message: /no HelmRelease/ });
    assert.equal(git("branch", "--list", plan.branch), "");
  });

  it("refuses a link that only the branch has, and leaves the file outside as it was", async () => {
    git("switch", "--quiet", "--create", plan.branch);
    const outside = join(dir, "outside.yaml");
    const text = readFileSync(join(checkout, VARIABLES_FILE), "utf8");
    writeFileSync(outside, text);
    unlinkSync(join(checkout, VARIABLES_FILE));
    symlinkSync(outside, join(checkout, VARIABLES_FILE));
    commitAll();
    git("switch", "--quiet", "main");
    await assert.rejects(land(plan), { name: "LandRefusal" });
    assert.equal(readFileSync(outside, "utf8"), text);
    assert.equal(git("branch", "--show-current"), "main");
  });

  it("refuses a folder that is not there", async () => {
    await assert.rejects(land({ ...plan, checkout: join(dir, "none") }), /found no folder/);
  });

  it("refuses a tree with changes that are not committed, and writes nothing", async () => {
    writeFileSync(join(checkout, "draft.txt"), "mine");
    await assert.rejects(land(plan), /not committed/);
    assert.equal(git("branch", "--show-current"), "main");
  });

  it("refuses a file that is not there, by its name", async () => {
    await assert.rejects(
      land({ ...plan, variables: "k8s/none.yaml" }),
      /k8s\/none\.yaml: found no such file/,
    );
  });

  it("refuses a link, which could lead out of the checkout", async () => {
    const outside = join(dir, "outside.yaml");
    writeFileSync(outside, readFileSync(join(checkout, VARIABLES_FILE)));
    unlinkSync(join(checkout, VARIABLES_FILE));
    symlinkSync(outside, join(checkout, VARIABLES_FILE));
    commitAll();
    await assert.rejects(land(plan), /found no such file/);
  });

  it("refuses a folder that is no repository", async () => {
    await assert.rejects(land({ ...plan, checkout: dir }), /no Git repository/);
  });
});
