// Before: the move is verified; the live HelmRelease asks for Raft with all replicas.
// After: the Git checkout says the same, on the branch from the config; a text for the pull request lies in Git's own
// folder; the branch is pushed when the config asks for it, and else stays here.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { JournalEntry } from "../../cluster/journal";
import { KEY_COPY_SUBJECT } from "../../land/keyCopy";
import { git, pushBranch } from "../../land/git";
import { land, type LandPlan, type LandResult } from "../../land/landing";
import { landPlan } from "../../land/landPlan";
import { livePolicies } from "../../land/livePolicies";
import { OWNED_VALUES } from "../../openBaoConfig/targetValues";
import { differenceLine, valueDifferences } from "../../land/valueDifferences";
import { evidenceDigest, pullRequestText } from "../../land/pullRequest";
import { largestFile } from "../entrySize";
import { landRefused } from "../landRefused";
import { Refused, type Facts, type Step, type StepContext } from "../runStep";
import { observeWorld } from "../world";

/** In Git's own folder, where it makes no tree dirty. */
const PULL_REQUEST_FILE = "openbao-raft-pull-request.md";

let facts: Facts = {};

export const landGit: Step = {
  id: "land-git",

  async observe(ctx) {
    const verified = await ctx.journal.done("services");
    if (verified === undefined)
      return { state: "refuse", hazard: "F69", why: "stage verify is not done; it comes before land" };
    // The checkout is looked at each time: another runner may hold another clone.
    return { state: "todo", observed: {} };
  },

  act(ctx) {
    return landRefused("F69", async () => {
      const plan = await planOf(ctx);
      const result = await land(plan);
      const { release } = await observeWorld(ctx);
      const differences = valueDifferences(result.values, release.spec?.values ?? {}, OWNED_VALUES);
      if (differences.length > 0) {
        throw new Refused(
          `Git and the live release differ: ${differences.slice(0, 10).map(differenceLine).join("; ")}. Expected none: make the file on the branch say what is live [F69]`,
          "F69",
        );
      }
      const evidence = await writePullRequest(ctx, plan, result);
      const pushed = ctx.input.git?.push === true;
      if (pushed) {
        await ctx.fence.assertHeld();
        await pushBranch(plan.checkout, result.branch, result.head);
      }
      facts = { branch: result.branch, commits: result.commits, head: result.head, evidence, pushed };
    });
  },

  verify() {
    return Promise.resolve(facts);
  },
};

/** Gives the digest of the evidence that the text names. */
async function writePullRequest(ctx: StepContext, plan: LandPlan, result: LandResult): Promise<string> {
  const checkout = resolve(plan.checkout);
  const journal = await ctx.journal.entries();
  const { release, namespace, replicas, delivery } = ctx.input;
  const { themes, files } = withKeyCopy(result, await ctx.journal.done("git-keys"));
  const text = pullRequestText({
    ...{ ...result, themes, files, release, namespace, replicas, journal },
    ...(delivery !== undefined && { delivery }),
  });
  const file = resolve(checkout, await git(checkout, "rev-parse", "--git-path", PULL_REQUEST_FILE));
  writeFileSync(file, text);
  ctx.log(`text for the pull request of branch ${result.branch}, also in ${file}:\n${text}`);
  return evidenceDigest(journal);
}

/** The commit that step git-keys made on the same branch is reviewed with the others. */
function withKeyCopy({ themes, files }: LandResult, written: JournalEntry | undefined) {
  const file = written?.observed["file"];
  return typeof file === "string"
    ? { themes: [KEY_COPY_SUBJECT, ...themes], files: [file, ...files] }
    : { themes, files };
}

async function planOf(ctx: StepContext): Promise<LandPlan> {
  const { git, ...about } = ctx.input;
  if (git === undefined) {
    throw new Refused('the config names no Git checkout; set "openbao-migration:git" [F69]', "F69");
  }
  const policies = git.networkPolicy === undefined ? [] : await livePolicies(ctx.kube, about);
  if (git.networkPolicy !== undefined && policies.length === 0) {
    ctx.log("no policy openbao-raft runs, since nothing restricts the server's pods: none is landed");
  }
  const largest = largestFile(await ctx.journal.entries());
  return landPlan(git, { ...about, largestFile: largest }, policies);
}

export default landGit;
