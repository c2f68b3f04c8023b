import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { git } from "./git";
import { refusal, type LandRefusal } from "./landRefusal";

/** What git leaves in its folder while something is not finished, and how a person goes on. */
const UNFINISHED: readonly [file: string, what: string, fix: string][] = [
  ["MERGE_HEAD", "an unfinished merge", "finish it (git commit), or git merge --abort"],
  ["CHERRY_PICK_HEAD", "an unfinished cherry-pick", "git cherry-pick --continue, or --abort"],
  ["REVERT_HEAD", "an unfinished revert", "git revert --continue, or --abort"],
  ["rebase-merge", "an unfinished rebase", "git rebase --continue, or --abort"],
  ["rebase-apply", "an unfinished rebase or am", "git rebase --continue or git am --continue, or --abort"],
  ["BISECT_LOG", "an unfinished bisect", "git bisect reset"],
  ["index.lock", "a lock of another git process (index.lock)", "wait for it; remove the lock if none runs"],
];

/**
 * Looks, and changes nothing.
 * @throws LandRefusal for a checkout in which a commit could surprise, with everything found at once (hazard F69).
 */
export async function assertUsable(checkout: string, branch: string, known: boolean): Promise<void> {
  const current = await git(checkout, "branch", "--show-current");
  const found = [
    ...(await unfinished(checkout)),
    ...(await elsewhere(checkout, branch)),
    ...(await outdated(checkout, known ? branch : current)),
  ];
  if (current === "") {
    found.push(refusal(checkout, "a detached HEAD", "a branch", "check one out (git switch BRANCH)"));
  }
  const [first, ...more] = found;
  if (first === undefined) return;
  first.message = [first, ...more].map(({ message }) => message).join(". Also ");
  throw first;
}

async function unfinished(checkout: string): Promise<LandRefusal[]> {
  const wanted = UNFINISHED.flatMap(([file]) => ["--git-path", file]);
  const paths = (await git(checkout, "rev-parse", ...wanted)).split("\n");
  return UNFINISHED.filter((_, at) => existsSync(resolve(checkout, paths[at] ?? ""))).map(([, what, fix]) =>
    refusal(checkout, what, "none", fix),
  );
}

async function elsewhere(checkout: string, branch: string): Promise<LandRefusal[]> {
  const path = await ofBranch(checkout, branch, "%(worktreepath)");
  const own = await git(checkout, "rev-parse", "--show-toplevel");
  if (path === "" || !existsSync(path) || realpathSync(path) === realpathSync(own)) return [];
  const what = `branch ${branch} checked out in another working tree (${path})`;
  return [refusal(checkout, what, "it free or here", "land from there, or git worktree remove it")];
}

/** By what was fetched last: nothing is fetched here. */
async function outdated(checkout: string, branch: string): Promise<LandRefusal[]> {
  const track = await ofBranch(checkout, branch, "%(upstream:short) %(upstream:track)");
  if (!track.includes("behind")) return [];
  return [
    refusal(
      checkout,
      `branch ${branch} behind its upstream (${track})`,
      "all of the upstream's commits in it",
      "git pull --rebase there, or name another branch in git.branch",
    ),
  ];
}

function ofBranch(checkout: string, branch: string, format: string): Promise<string> {
  if (branch === "") return Promise.resolve("");
  return git(checkout, "for-each-ref", `--format=${format}`, `refs/heads/${branch}`);
}
