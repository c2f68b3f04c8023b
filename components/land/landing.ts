import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { assertInside, editsOf, filesToChange, type LandPlan } from "./changeSet";
import { assertUsable } from "./checkoutState";
import { git, gitRaw, words } from "./git";
import { refusal, type LandRefusal } from "./landRefusal";
import { refuseOthers, replaceFile, sortChanges, takeBack, type Change } from "./leftovers";
import { renderedValues } from "./renderedValues";

export type { LandPlan } from "./changeSet";

const FALLBACK_IDENTITY = {
  "user.name": "openbao-raft-migration",
  "user.email": "openbao-raft-migration@localhost",
};

export interface LandResult {
  readonly branch: string;
  /** Subjects of the commits made now; empty when all had landed before. */
  readonly commits: readonly string[];
  /** Subjects and files of the whole change set, landed now or before. */
  readonly themes: readonly string[];
  readonly files: readonly string[];
  /** Files that these commits changed, inside the checkout. */
  readonly changed: readonly string[];
  /** The branch's newest commit. */
  readonly head: string;
  /** The HelmRelease's values as Flux would render them from the branch. */
  readonly values: Record<string, unknown>;
}

/**
 * Writes the change set into the checkout: one commit a theme, nothing pushed. A second run finds nothing to do, and
 * one after a run that was killed between write and commit goes on.
 * @throws LandRefusal for a checkout that is missing, dirty, unfinished or not understood; nothing is written then.
 * Also for a commit that git refuses (a hook, a missing key): its edit is taken back, and a commit made before it stays.
 */
export async function land(plan: LandPlan): Promise<LandResult> {
  const checkout = resolve(plan.checkout);
  const status = await statusOf(checkout);
  const known = await hasBranch(checkout, plan.branch);
  await assertUsable(checkout, plan.branch, known);
  const ours = await sortChanges(checkout, plan, status);
  refuseOthers(checkout, ours);
  // Tried on the commit first: a shape that is not understood leaves the branch and the tree as they were.
  await filesToChange(checkout, plan, known ? `refs/heads/${plan.branch}` : "HEAD");
  await takeBack(checkout, ours);
  await switchTo(checkout, plan.branch, known);
  const commits: string[] = [];
  const changed = new Set<string>();
  for (const { file, subject, change } of editsOf(plan)) {
    // Checked and read after the switch, and anew each time: both themes may stand in one file.
    assertInside(checkout, file);
    const before = readFileSync(join(checkout, file), "utf8");
    const text = change(before);
    if (text === before) continue;
    replaceFile(join(checkout, file), text);
    await commit(checkout, file, subject);
    commits.push(subject);
    changed.add(file);
  }
  return {
    branch: plan.branch,
    commits,
    themes: editsOf(plan).map(({ subject }) => subject),
    files: [...new Set(editsOf(plan).map(({ file }) => file))],
    changed: [...changed],
    head: await git(checkout, "rev-parse", "HEAD"),
    values: await renderedValues(checkout, plan),
  };
}

/**
 * Paths with changes that `land` would refuse: all but what a killed run of this program left. Writes nothing.
 * @throws LandRefusal for a checkout or a file that is missing or not understood.
 */
export async function foreignChanges(plan: LandPlan): Promise<readonly string[]> {
  const checkout = resolve(plan.checkout);
  return (await sortChanges(checkout, plan, await statusOf(checkout))).others;
}

/**
 * Tells whether the branch is there and says all of the change set; reads commits only, whatever is checked out.
 * @throws LandRefusal for a checkout or a file that is missing or not understood.
 */
export async function landedAlready(plan: LandPlan): Promise<boolean> {
  const checkout = resolve(plan.checkout);
  await statusOf(checkout);
  if (!(await hasBranch(checkout, plan.branch))) return false;
  return (await filesToChange(checkout, plan, `refs/heads/${plan.branch}`)).length === 0;
}

/** @throws LandRefusal for a folder that is no checkout. */
async function statusOf(checkout: string): Promise<Change[]> {
  const refuse = (found: string): LandRefusal =>
    refusal(checkout, found, "the platform's Git checkout", 'set "openbao-migration:git.checkout"');
  if (!existsSync(checkout)) throw refuse("no folder");
  try {
    const args = ["status", "--porcelain", "--no-renames", "--untracked-files=all", "-z"];
    const status = await gitRaw(checkout, ...args);
    const prefix = await git(checkout, "rev-parse", "--show-prefix");
    return status
      .split("\0")
      .filter((entry) => entry !== "")
      .map((entry) => ({ state: entry.slice(0, 2), path: inCheckout(entry.slice(3), prefix) }));
  } catch (error) {
    // Git also says no to a folder of another user, which a bare "no repository" would hide.
    throw refuse(`no Git repository that can be read (${words(error)})`);
  }
}

async function hasBranch(checkout: string, branch: string): Promise<boolean> {
  return (await git(checkout, "for-each-ref", "--format=%(refname)", `refs/heads/${branch}`))
    .split("\n")
    .includes(`refs/heads/${branch}`);
}

async function switchTo(checkout: string, branch: string, known: boolean): Promise<void> {
  if ((await git(checkout, "branch", "--show-current")) === branch) return;
  try {
    await git(checkout, "switch", "--quiet", ...(known ? [branch] : ["--create", branch]));
  } catch (error) {
    throw refusal(
      checkout,
      `no way to branch ${branch} (${words(error)})`,
      "one that git can switch to",
      "switch to it",
    );
  }
}

/** An edit whose commit fails is taken back: a dirty tree would stop the next run. */
async function commit(checkout: string, file: string, subject: string): Promise<void> {
  try {
    await git(checkout, "--literal-pathspecs", "add", "--", file);
    const who = await identity(checkout);
    await git(checkout, "--literal-pathspecs", ...who, "commit", "--quiet", "--message", subject, "--", file);
  } catch (error) {
    await git(checkout, "--literal-pathspecs", "restore", "--staged", "--worktree", "--", file);
    throw refusal(
      file,
      `a commit that git refused (${words(error)})`,
      "a commit",
      "correct that, and run again",
    );
  }
}

/** The user's own name where git has one; a made-up one would hide who ran this. */
async function identity(checkout: string): Promise<string[]> {
  const who: string[] = [];
  for (const [key, fallback] of Object.entries(FALLBACK_IDENTITY)) {
    // A key that is not set makes git exit with 1.
    const own = await git(checkout, "config", key).catch(() => "");
    if (own === "") who.push("-c", `${key}=${fallback}`);
  }
  return who;
}

/** Git counts from the top of the repository; a path outside the checkout begins with a slash, and is nobody's of ours. */
function inCheckout(path: string, prefix: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : `/${path}`;
}
