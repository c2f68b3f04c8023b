import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { land, type LandPlan } from "../../components/land/landing";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";

describe("landing in Git (hazard F69)", () => {
  let dir: string;
  let checkout: string;
  let plan: LandPlan;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "landing-"));
    checkout = join(dir, "platform");
    await makePlatformCheckout(checkout);
    plan = {
      checkout,
      branch: "openbao-raft",
      helmRelease: HELM_RELEASE_FILE,
      variables: VARIABLES_FILE,
      replicasVariable: "openbao_replicas",
      release: "openbao",
      namespace: "openbao",
      replicas: 3,
    };
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const git = (...args: string[]) =>
    execFileSync("git", ["-C", checkout, ...args], { encoding: "utf8" }).trim();

  it("makes one commit a theme on the branch, and leaves main as it was", async () => {
    const main = git("rev-parse", "main");
    const result = await land(plan);
    assert.equal(git("rev-parse", "main"), main);
    assert.deepEqual(git("log", "--format=%s", "main..openbao-raft").split("\n"), [
      "feat(openbao): ask for 3 replicas",
      "feat(openbao): run on Raft with 3 nodes",
    ]);
    const server = result.values["server"] as { ha: { replicas: unknown }; standalone: { enabled: unknown } };
    assert.equal(server.ha.replicas, 3);
    assert.equal(server.standalone.enabled, false);
  });

  it("finds nothing to do the second time", async () => {
    const first = await land(plan);
    const second = await land(plan);
    assert.deepEqual(second.commits, []);
    assert.equal(second.head, first.head);
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
    git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "link");
    await assert.rejects(land(plan), /found no such file/);
  });

  it("refuses a folder that is no repository", async () => {
    await assert.rejects(land({ ...plan, checkout: dir }), /no Git repository/);
  });
});
