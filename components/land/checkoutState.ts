import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { git, gitRaw, words } from "./git";
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

/** One path that `git status` names. */
export interface Change {
  /** Git's two letters: index and working tree. */
  readonly state: string;
  readonly path: string;
}

/** A checkout as git tells it, in three calls: each process that git starts costs. */
export interface CheckoutState {
  readonly checkout: string;
  /** The branch that is checked out; empty for a detached HEAD. */
  readonly current: string;
  /** True when the branch to land on is there. */
  readonly known: boolean;
  /** What is not committed. */
  readonly changes: readonly Change[];
  /** Top folder of the repository, which the checkout may be a part of. */
  readonly top: string;
  /** What lies unfinished, as [what, fix]. */
  readonly unfinished: readonly (readonly [what: string, fix: string])[];
  /** Where the branch to land on is checked out; empty for nowhere. */
  readonly worktree: string;
  /** The upstream of the branch to start from, and git's words on how far they are apart. */
  readonly track: string;
}

/**
 * Looks, and changes nothing.
 * @throws LandRefusal for a folder that is no checkout.
 */
export async function readCheckoutState(checkout: string, branch: string): Promise<CheckoutState> {
  const refuse = (found: string): LandRefusal =>
    refusal(checkout, found, "the platform's Git checkout", 'set "openbao-migration:git.checkout"');
  if (!existsSync(checkout)) throw refuse("no folder");
  try {
    const wanted = UNFINISHED.flatMap(([file]) => ["--git-path", file]);
    const [prefix = "", top = "", ...paths] = (
      await gitRaw(checkout, "rev-parse", "--show-prefix", "--show-toplevel", ...wanted)
    ).split("\n");
    const args = ["--porcelain", "--branch", "--ahead-behind", "--no-renames", "--untracked-files=all", "-z"];
    const [head = "", ...entries] = (await gitRaw(checkout, "status", ...args)).split("\0");
    const format = "%(refname)%00%(worktreepath)%00%(upstream:short) %(upstream:track)";
    const ref = `refs/heads/${branch}`;
    const refs = (await git(checkout, "for-each-ref", `--format=${format}`, ref))
      .split("\n")
      .map((line) => line.split("\0"));
    const own = refs.find(([name]) => name === ref);
    const { current, track } = headOf(head);
    return {
      checkout,
      current,
      known: own !== undefined,
      changes: entries
        .filter((entry) => entry !== "")
        .map((entry) => ({ state: entry.slice(0, 2), path: inCheckout(entry.slice(3), prefix) })),
      top,
      unfinished: UNFINISHED.filter((_, at) => existsSync(resolve(checkout, paths[at] ?? ""))).map(
        ([, what, fix]) => [what, fix] as const,
      ),
      worktree: own?.[1] ?? "",
      track: own === undefined ? track : (own[2] ?? ""),
    };
  } catch (error) {
    // Git also says no to a folder of another user, which a bare "no repository" would hide.
    throw refuse(`no Git repository that can be read (${words(error)})`);
  }
}

/** @throws LandRefusal for a checkout in which a commit could surprise, with everything found at once (hazard F69). */
export function assertUsable(state: CheckoutState, branch: string): void {
  const { checkout } = state;
  const found = [
    ...state.unfinished.map(([what, fix]) => refusal(checkout, what, "none", fix)),
    ...elsewhere(state, branch),
    ...outdated(state, branch),
  ];
  if (state.current === "") {
    found.push(refusal(checkout, "a detached HEAD", "a branch", "check one out (git switch BRANCH)"));
  }
  const [first, ...more] = found;
  if (first === undefined) return;
  first.message = [first, ...more].map(({ message }) => message).join(". Also ");
  throw first;
}

function elsewhere({ checkout, worktree, top }: CheckoutState, branch: string): LandRefusal[] {
  if (worktree === "" || !existsSync(worktree) || realpathSync(worktree) === realpathSync(top)) return [];
  const what = `branch ${branch} checked out in another working tree (${worktree})`;
  return [refusal(checkout, what, "it free or here", "land from there, or git worktree remove it")];
}

/** By what was fetched last: nothing is fetched here. */
function outdated({ checkout, known, current, track }: CheckoutState, branch: string): LandRefusal[] {
  if (!track.includes("behind")) return [];
  return [
    refusal(
      checkout,
      `branch ${known ? branch : current} behind its upstream (${track})`,
      "all of the upstream's commits in it",
      "git pull --rebase there, or name another branch in git.branch",
    ),
  ];
}

/** The first entry of `git status --branch`: `## BRANCH...UPSTREAM [ahead 1, behind 2]`. */
function headOf(entry: string): { current: string; track: string } {
  const text = entry.replace(/^## (No commits yet on )?/, "");
  if (text === "HEAD (no branch)") return { current: "", track: "" };
  // Two dots and more are no part of a branch's name.
  const [current = "", track = ""] = text.split("...");
  return { current, track };
}

/** Git counts from the top of the repository; a path outside the checkout begins with a slash, and is nobody's of ours. */
function inCheckout(path: string, prefix: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : `/${path}`;
}
