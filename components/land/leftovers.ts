import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { assertInside, stepsFrom, type LandPlan } from "./changeSet";
import type { CheckoutState } from "./checkoutState";
import { git } from "./git";
import { refusal } from "./landRefusal";
import { themesOf } from "./themes";

/** What a killed run of this program left in the tree. */
export interface Leftovers {
  /** Tracked files that say exactly what this program would write. */
  readonly edited: readonly string[];
  /** Files that this program makes, which no commit has yet. */
  readonly made: readonly string[];
  /** Drafts that never took their file's place. */
  readonly drafts: readonly string[];
  /** Changes of somebody else. */
  readonly others: readonly string[];
}

/** Git's letters for a file of HEAD that was edited, and for one that HEAD does not have. */
const EDITED = /^[ M]{2}$/;
const NEW = /^(\?\?|A[ M])$/;

/** Sorts what `git status` names: what a killed run of this program left is known by its content. */
export async function sortChanges(
  { checkout, current, changes }: CheckoutState,
  plan: LandPlan,
): Promise<Leftovers> {
  const files = themesOf(plan).flatMap((theme) => theme.files.map((file) => normalize(file)));
  const drafts = new Set(files.map(draftOf));
  const onBranch = current === plan.branch;
  const found = {
    edited: [] as string[],
    made: [] as string[],
    drafts: [] as string[],
    others: [] as string[],
  };
  for (const { state, path } of changes) {
    const ours = async (): Promise<boolean> =>
      onBranch && files.includes(path) && (await isOurs(checkout, plan, path));
    if (state === "??" && drafts.has(path)) found.drafts.push(path);
    else if (EDITED.test(state) && (await ours())) found.edited.push(path);
    else if (NEW.test(state) && (await ours())) found.made.push(path);
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
  assertInside(checkout, path);
  const live = readFileSync(join(checkout, path), "utf8");
  const steps = await stepsFrom(checkout, plan, "HEAD");
  return steps.some(({ after }) =>
    [...after].some(([file, text]) => normalize(file) === path && text === live),
  );
}

/** Nothing is lost by it: all of this is written again. */
export async function takeBack(
  checkout: string,
  { edited, made, drafts }: Pick<Leftovers, "edited" | "made" | "drafts">,
): Promise<void> {
  for (const draft of drafts) rmSync(join(checkout, draft), { force: true });
  if (made.length > 0) {
    await git(
      checkout,
      "--literal-pathspecs",
      "rm",
      "--cached",
      "--quiet",
      "--ignore-unmatch",
      "--",
      ...made,
    );
    for (const file of made) rmSync(join(checkout, file), { force: true });
  }
  if (edited.length === 0) return;
  await git(checkout, "--literal-pathspecs", "restore", "--staged", "--worktree", "--", ...edited);
}

/** At once or not at all: a half-written file would be nobody's. */
export function replaceFile(path: string, text: string): void {
  const draft = draftOf(path);
  const mode = existsSync(path) ? lstatSync(path).mode & 0o777 : 0o644;
  writeFileSync(draft, text, { mode });
  renameSync(draft, path);
}

/** Where a file is written before it takes its place. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.openbao-land`);
}
