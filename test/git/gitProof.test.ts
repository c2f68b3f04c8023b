import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { land } from "../../components/land/landing";
import { gitProof } from "../../components/steps/gitProof";
import type { HelmRelease } from "../../components/steps/world";
import { LandingCheckout } from "../support/landingCheckout";
import { StepWorld } from "../support/stepContext";

const OWNED: HelmRelease = { metadata: { labels: { "kustomize.toolkit.fluxcd.io/name": "infra" } } };

describe("the proof that Git says standalone (hazard I1)", () => {
  let made: LandingCheckout;
  let dir: string;
  let checkout: string;
  beforeEach(async () => {
    made = await LandingCheckout.make();
    ({ dir } = made);
    ({ checkout } = made.plan);
  });
  afterEach(() => made.remove());

  const git = (folder: string, ...args: string[]) =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const settings = () => {
    const { branch, helmRelease, variables, replicasVariable } = made.plan;
    return { checkout, branch, helmRelease, variables: variables!, replicasVariable: replicasVariable! };
  };
  const landIt = () => land(made.plan);
  const proof = (release = OWNED, known = true) => {
    const { context } = new StepWorld("rollback-resume");
    if (known) Object.assign(context.input, { git: settings() });
    return gitProof(context, release);
  };
  /** The checkout's main branch at a remote of its own. */
  const publish = (): string => {
    const remote = join(dir, "remote.git");
    git(dir, "clone", "--quiet", "--bare", checkout, remote);
    git(checkout, "remote", "add", "origin", remote);
    return remote;
  };

  it("needs no checkout where no Kustomization writes the HelmRelease", async () =>
    assert.equal((await proof({}, false)).standalone, true));

  it("is not given without a checkout", async () =>
    assert.equal((await proof(OWNED, false)).standalone, false));

  it("is what the branch says that is checked out, where there is no remote", async () =>
    assert.deepEqual(await proof(), { standalone: true, why: "branch main says standalone" }));

  it("is not given by a branch that asks for Raft", async () => {
    await landIt();
    git(checkout, "switch", "--quiet", "main");
    git(checkout, "merge", "--quiet", "openbao-raft");
    assert.deepEqual(await proof(), { standalone: false, why: "branch main says Raft; revert that first" });
  });

  it("is not given where only the change set's own branch is at hand", async () => {
    await landIt();
    const { standalone, why } = await proof();
    assert.equal(standalone, false);
    assert.match(why, /branch openbao-raft checked out, and no remote/);
  });

  it("is what the remote's newest commit says, whatever is checked out", async () => {
    publish();
    await landIt();
    const { standalone, why } = await proof();
    assert.equal(standalone, true, why);
  });

  it("is not given by a checkout that is behind its remote", async () => {
    const remote = publish();
    const other = join(dir, "other");
    git(dir, "clone", "--quiet", remote, other);
    git(
      other,
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@localhost",
      "commit",
      "--quiet",
      "--allow-empty",
      "-m",
      "x",
    );
    git(other, "push", "--quiet", "origin", "main");
    const { standalone, why } = await proof();
    assert.equal(standalone, false);
    assert.match(why, /fetch origin/);
  });

  it("is not given by a remote that gives no answer", async () => {
    git(checkout, "remote", "add", "origin", join(dir, "nowhere"));
    assert.equal((await proof()).standalone, false);
  });
});
