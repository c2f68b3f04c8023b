import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pushBranch, words } from "../../components/land/git";
import { foreignChanges, land, type LandPlan } from "../../components/land/landing";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";
import { LandingCheckout } from "../support/landingCheckout";

describe("landing in a checkout as people leave it (hazard F69)", () => {
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

  /** All texts after landing, with the branch put back to where a run that was killed after `commits` commits left it. */
  async function killedAfter(commits: number): Promise<{ variables: string; helmRelease: string }> {
    await land(plan);
    const texts = { variables: read(VARIABLES_FILE), helmRelease: read(HELM_RELEASE_FILE) };
    git("reset", "--quiet", "--hard", commits === 0 ? "main" : "HEAD~1");
    return texts;
  }

  describe("after a run that was killed between write and commit", () => {
    const kills: Record<string, (texts: { variables: string; helmRelease: string }) => void> = {
      "the file was written": ({ helmRelease }) => writeFileSync(release(), helmRelease),
      "the file was staged": ({ helmRelease }) => {
        writeFileSync(release(), helmRelease);
        git("add", "--", HELM_RELEASE_FILE);
      },
      "the draft had not taken the file's place": ({ helmRelease }) =>
        writeFileSync(
          join(dirname(release()), `.${basename(release())}.openbao-land`),
          helmRelease.slice(0, 100),
        ),
    };
    for (const [title, kill] of Object.entries(kills)) {
      it(`goes on: ${title}`, async () => {
        const texts = await killedAfter(1);
        kill(texts);
        // The gate looks by this, and must not block the run that puts it right.
        assert.deepEqual(await foreignChanges(plan), []);
        const result = await land(plan);
        assert.deepEqual(result.commits, ["feat(openbao): run on Raft with 3 nodes"]);
        assert.equal(git("status", "--porcelain"), "");
        assert.equal(read(HELM_RELEASE_FILE), texts.helmRelease);
      });
    }

    it("refuses when the same file holds an edit of somebody else too, by the file's name", async () => {
      const { helmRelease } = await killedAfter(1);
      writeFileSync(release(), `${helmRelease}# mine\n`);
      assert.deepEqual(await foreignChanges(plan), [HELM_RELEASE_FILE]);
      await assert.rejects(land(plan), (error: Error) => error.message.includes(HELM_RELEASE_FILE));
      assert.match(read(HELM_RELEASE_FILE), /# mine/);
    });

    it("refuses our own edit on a branch that is not ours: somebody made it there by hand", async () => {
      const { helmRelease } = await killedAfter(0);
      git("switch", "--quiet", "main");
      writeFileSync(release(), helmRelease);
      await assert.rejects(land(plan), /not committed/);
      assert.equal(read(HELM_RELEASE_FILE), helmRelease);
    });
  });

  describe("refuses a checkout in which a commit could surprise, and leaves it as it is", () => {
    const cases: Record<string, [prepare: () => void, words: RegExp]> = {
      "a detached HEAD": [() => git("switch", "--quiet", "--detach"), /a detached HEAD.*git switch BRANCH/],
      "an unfinished merge": [
        () => {
          git("switch", "--quiet", "--create", "other");
          writeFileSync(release(), read(HELM_RELEASE_FILE).replace("openbao", "other"));
          commitAll();
          git("switch", "--quiet", "main");
          writeFileSync(release(), read(HELM_RELEASE_FILE).replace("openbao", "third"));
          commitAll();
          assert.throws(() => execFileSync("git", ["-C", checkout, "merge", "other"], { stdio: "ignore" }));
        },
        /an unfinished merge.*git merge --abort/,
      ],
      "an unfinished rebase": [
        () => mkdirSync(join(checkout, ".git/rebase-merge")),
        /an unfinished rebase.*--abort/,
      ],
      "a lock of another git": [
        () => writeFileSync(join(checkout, ".git/index.lock"), ""),
        /index\.lock.*remove the lock/,
      ],
      "the branch in another working tree": [
        () => git("worktree", "add", "--quiet", "-b", "openbao-raft", join(dir, "tree")),
        /openbao-raft checked out in another working tree \(.*tree\).*git worktree remove/,
      ],
      "a branch behind its upstream": [
        () => {
          git("init", "--quiet", "--bare", join(dir, "origin.git"));
          git("remote", "add", "origin", join(dir, "origin.git"));
          git("switch", "--quiet", "--create", "openbao-raft");
          writeFileSync(release(), `${read(HELM_RELEASE_FILE)}# theirs\n`);
          commitAll();
          git("push", "--quiet", "--set-upstream", "origin", "openbao-raft");
          git("reset", "--quiet", "--hard", "HEAD~1");
        },
        /openbao-raft behind its upstream \(origin\/openbao-raft \[behind 1\]\).*git pull/,
      ],
      "a main that has moved on, where the branch is to begin": [
        () => {
          git("init", "--quiet", "--bare", join(dir, "origin.git"));
          git("remote", "add", "origin", join(dir, "origin.git"));
          writeFileSync(release(), `${read(HELM_RELEASE_FILE)}# theirs\n`);
          commitAll();
          git("push", "--quiet", "--set-upstream", "origin", "main");
          git("reset", "--quiet", "--hard", "HEAD~1");
        },
        /main behind its upstream \(.*behind 1.*\).*git pull/,
      ],
    };
    for (const [title, [prepare, words]] of Object.entries(cases)) {
      it(title, async () => {
        prepare();
        const before = [git("rev-parse", "HEAD"), git("for-each-ref"), read(HELM_RELEASE_FILE)];
        await assert.rejects(land(plan), { name: "LandRefusal", message: words });
        assert.deepEqual([git("rev-parse", "HEAD"), git("for-each-ref"), read(HELM_RELEASE_FILE)], before);
      });
    }

    it("and names all that is wrong at once", async () => {
      git("switch", "--quiet", "--detach");
      writeFileSync(join(checkout, ".git/index.lock"), "");
      await assert.rejects(land(plan), /index\.lock.*Also .*a detached HEAD/);
    });
  });

  describe("writes nothing through a link that git was told not to look at", () => {
    const variables = join("k8s", "clusters", "prod", "bootstrap");
    const hidden = () => git("ls-files", "--", variables).split("\n");

    it("in place of the file", async () => {
      git("update-index", "--skip-worktree", VARIABLES_FILE);
      const outside = join(dir, "outside.yaml");
      writeFileSync(outside, read(VARIABLES_FILE));
      rmSync(join(checkout, VARIABLES_FILE));
      symlinkSync(outside, join(checkout, VARIABLES_FILE));
      const before = readFileSync(outside, "utf8");
      await assert.rejects(land(plan), { name: "LandRefusal", message: /found no such file/ });
      assert.equal(readFileSync(outside, "utf8"), before);
    });

    it("in place of a folder above it", async () => {
      git("update-index", "--skip-worktree", ...hidden());
      const outside = join(dir, "outside");
      cpSync(join(checkout, variables), outside, { recursive: true });
      rmSync(join(checkout, variables), { recursive: true });
      symlinkSync(outside, join(checkout, variables));
      const before = readFileSync(join(outside, basename(VARIABLES_FILE)), "utf8");
      writeFileSync(join(checkout, ".git/info/exclude"), `${variables}\n`);
      await assert.rejects(land(plan), { name: "LandRefusal", message: /leads out of the checkout/ });
      assert.equal(readFileSync(join(outside, basename(VARIABLES_FILE)), "utf8"), before);
    });
  });

  describe("pushing", () => {
    const origin = () => join(dir, "origin.git");
    const there = () => execFileSync("git", ["-C", origin(), "for-each-ref"], { encoding: "utf8" });
    beforeEach(() => {
      git("init", "--quiet", "--bare", origin());
      git("remote", "add", "origin", origin());
    });

    it("is not done by landing", async () => {
      await land(plan);
      assert.equal(there(), "");
    });

    it("puts the branch on origin, and does nothing the second time", async () => {
      const { head } = await land(plan);
      await pushBranch(checkout, plan.branch, head);
      await pushBranch(checkout, plan.branch, head);
      assert.match(there(), new RegExp(`^${head} commit\trefs/heads/openbao-raft\n$`));
    });

    it("never forces: what others have pushed there stays, and the refusal says so", async () => {
      const { head } = await land(plan);
      const other = git("commit-tree", "-m", "theirs", "main^{tree}");
      git("push", "--quiet", "origin", `${other}:refs/heads/openbao-raft`);
      await assert.rejects(pushBranch(checkout, plan.branch, head), {
        name: "LandRefusal",
        message: /origin did not take/,
      });
      assert.match(there(), new RegExp(other));
    });

    it("asks origin what it has: a push that was taken and undone is none", async () => {
      const { head } = await land(plan);
      const hook = join(origin(), "hooks/post-receive");
      mkdirSync(dirname(hook), { recursive: true });
      writeFileSync(hook, "#!/bin/sh\ngit update-ref -d refs/heads/openbao-raft\n", { mode: 0o755 });
      await assert.rejects(pushBranch(checkout, plan.branch, head), {
        name: "LandRefusal",
        message: /openbao-raft at nothing on origin.*look who else pushes it/,
      });
    });

    it("shows no password of the remote's address", () => {
      const said = words({ stderr: "fatal: unable to access 'https://ann:s3cret@git.invalid/x.git/': no" });
      assert.equal(said.includes("s3cret"), false);
      assert.match(said, /git\.invalid/);
    });
  });
});
