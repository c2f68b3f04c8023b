import { lstatSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { assertInside, filesToChange, type LandPlan, type Texts } from "./changeSet";
import { assertUsable, readCheckoutState } from "./checkoutState";
import { commitFiles, identity, switchTo } from "./commit";
import { git } from "./git";
import { refuseOthers, replaceFile, sortChanges, takeBack } from "./leftovers";
import { renderedValues } from "./renderedValues";
import { themesOf, type Theme } from "./themes";

export type { LandPlan } from "./changeSet";

export interface LandResult {
  readonly branch: string;
  /** Subjects of the commits made now; empty when all had landed before. */
  readonly commits: readonly string[];
  /** Subjects (with what a reviewer should know) and files of the whole change set, landed now or before. */
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
  const state = await readCheckoutState(checkout, plan.branch);
  assertUsable(state, plan.branch);
  const ours = await sortChanges(state, plan);
  refuseOthers(checkout, ours);
  // Tried on the commit first: a shape that is not understood leaves the branch and the tree as they were.
  await filesToChange(checkout, plan, state.known ? `refs/heads/${plan.branch}` : "HEAD");
  await takeBack(checkout, ours);
  if (state.current !== plan.branch) await switchTo(checkout, plan.branch, state.known);
  const who = await identity(checkout);
  const commits: string[] = [];
  const changed = new Set<string>();
  for (const theme of themesOf(plan)) {
    // Checked and read after the switch, and anew each time: two themes may stand in one file.
    const before = readTexts(checkout, theme.files);
    const after = [...theme.change(before)].filter(([file, text]) => text !== before.get(file));
    if (after.length === 0) continue;
    for (const [file, text] of after) replaceFile(join(checkout, file), text);
    const files = after.map(([file]) => file);
    await commitFiles(
      checkout,
      files,
      files.filter((file) => !before.has(file)),
      theme.subject,
      who,
    );
    commits.push(theme.subject);
    for (const file of files) changed.add(file);
  }
  return {
    branch: plan.branch,
    commits,
    themes: themesOf(plan).map(({ subject, note }) =>
      note === undefined ? subject : `${subject} (${note})`,
    ),
    files: themesOf(plan).reduce<string[]>((all, theme) => addedFiles(checkout, all, theme), []),
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
  return (await sortChanges(await readCheckoutState(resolve(plan.checkout), plan.branch), plan)).others;
}

/**
 * Tells whether the branch is there and says all of the change set; reads commits only, whatever is checked out.
 * @throws LandRefusal for a checkout or a file that is missing or not understood.
 */
export async function landedAlready(plan: LandPlan): Promise<boolean> {
  const checkout = resolve(plan.checkout);
  if (!(await readCheckoutState(checkout, plan.branch)).known) return false;
  return (await filesToChange(checkout, plan, `refs/heads/${plan.branch}`)).length === 0;
}

/** A file that is not there has no text. */
function readTexts(checkout: string, files: readonly string[]): Texts {
  return new Map(
    files.flatMap((file) => {
      // A link that leads nowhere is there, too.
      if (lstatSync(join(checkout, file), { throwIfNoEntry: false }) === undefined) return [];
      assertInside(checkout, file);
      return [[file, readFileSync(join(checkout, file), "utf8")] as const];
    }),
  );
}

/** Those in which a theme has a say, now that it has landed. */
function addedFiles(checkout: string, before: readonly string[], { files, change }: Theme): string[] {
  return [...new Set([...before, ...change(readTexts(checkout, files)).keys()])];
}
