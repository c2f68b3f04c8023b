import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { assertInside, committed, editsOf, type LandPlan } from "./changeSet";
import type { CheckoutState } from "./checkoutState";
import { git } from "./git";
import { refusal } from "./landRefusal";

/** What a killed run of this program left in the tree. */
export interface Leftovers {
  /** Tracked files that say exactly what this program would write. */
  readonly edited: readonly string[];
  /** Drafts that never took their file's place. */
  readonly drafts: readonly string[];
  /** Changes of somebody else. */
  readonly others: readonly string[];
}

/** Sorts what `git status` names: what a killed run of this program left is known by its content. */
export async function sortChanges(
  { checkout, current, changes }: CheckoutState,
  plan: LandPlan,
): Promise<Leftovers> {
  const drafts = new Set(editsOf(plan).map(({ file }) => draftOf(normalize(file))));
  const onBranch = current === plan.branch;
  const found = { edited: [] as string[], drafts: [] as string[], others: [] as string[] };
  for (const { state, path } of changes) {
    if (state === "??" && drafts.has(path)) found.drafts.push(path);
    else if (onBranch && /^[ M]{2}$/.test(state) && (await isOurs(checkout, plan, path)))
      found.edited.push(path);
    else found.others.push(path);
  }
  return found;
}

/** @throws LandRefusal that names the changes of somebody else. */
export function refuseOthers(checkout: string, { others }: Leftovers): void {
  if (others.length === 0) return;
  const more = others.length > 10 ? ` and ${others.length - 10} more` : "";
  throw refusal(
    checkout,
    `changes that are not committed (${others.slice(0, 10).join(", ")}${more})`,
    "a clean tree",
    "commit or stash them",
  );
}

/** One theme or all themes of the file, over what is committed: a run may have died after either. */
async function isOurs(checkout: string, plan: LandPlan, path: string): Promise<boolean> {
  const edits = editsOf(plan).filter(({ file }) => normalize(file) === path);
  if (edits.length === 0) return false;
  assertInside(checkout, path);
  const live = readFileSync(join(checkout, path), "utf8");
  let text = await committed(checkout, "HEAD", path);
  return edits.some(({ change }) => (text = change(text)) === live);
}

/** Nothing is lost by it: all of this is written again. */
export async function takeBack(checkout: string, { edited, drafts }: Leftovers): Promise<void> {
  for (const draft of drafts) rmSync(join(checkout, draft), { force: true });
  if (edited.length === 0) return;
  await git(checkout, "--literal-pathspecs", "restore", "--staged", "--worktree", "--", ...edited);
}

/** At once or not at all: a half-written file would be nobody's. */
export function replaceFile(path: string, text: string): void {
  const draft = draftOf(path);
  writeFileSync(draft, text, { mode: lstatSync(path).mode & 0o777 });
  renameSync(draft, path);
}

/** Where a file is written before it takes its place. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.openbao-land`);
}
