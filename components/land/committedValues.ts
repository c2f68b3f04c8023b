import { execFile } from "node:child_process";
import { normalize, resolve } from "node:path";
import { promisify } from "node:util";
import { refusal } from "./landRefusal";
import { renderValues, variablesOf, type ReleaseFiles } from "./renderedValues";

const GIT_TIMEOUT_MS = 30_000;
/** Set inside a hook; they would make git look at the hook's repository. */
const HOOK_VARIABLES = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

export interface CommittedFiles extends ReleaseFiles {
  readonly checkout: string;
  /** Branch of the change set; with no remote it is not what Flux reads. */
  readonly branch: string;
}

/**
 * The HelmRelease's values in the commit that Flux reads: the newest of the remote's main branch; in a checkout
 * without a remote, the one that is checked out.
 * @throws LandRefusal when that commit is not at hand or its files are not understood; Error of git.
 */
export async function committedSays(
  files: CommittedFiles,
): Promise<{ readonly values: Record<string, unknown>; readonly from: string }> {
  const checkout = resolve(files.checkout);
  const { commit, from } = await commitOfFlux(checkout, files.branch);
  return { values: await rendered(checkout, files, commit), from };
}

/**
 * The HelmRelease's values in one commit, which is fetched when the checkout lacks it: its branches stay as they are.
 * @throws LandRefusal when it cannot be had or its files are not understood; Error of git.
 */
export async function valuesAt(files: CommittedFiles, commit: string): Promise<Record<string, unknown>> {
  const checkout = resolve(files.checkout);
  if (!(await isThere(checkout, commit))) {
    const remote = await remoteOf(checkout);
    if (remote !== undefined) {
      await git(checkout, "fetch", "--quiet", "--no-tags", "--", remote, commit).catch(() => undefined);
    }
    if (!(await isThere(checkout, commit))) {
      throw refusal(
        checkout,
        `no commit ${commit.slice(0, 12)}, which the cluster was given`,
        "a checkout of the repository that holds it, with a remote to fetch from",
        "git -C CHECKOUT fetch",
      );
    }
  }
  return rendered(checkout, files, commit);
}

async function rendered(
  checkout: string,
  files: CommittedFiles,
  commit: string,
): Promise<Record<string, unknown>> {
  const read = (path: string) => git(checkout, "show", `${commit}:./${normalize(path)}`);
  const variables =
    files.variables === undefined ? {} : variablesOf(await read(files.variables), files.variables);
  return renderValues(await read(files.helmRelease), files, { ...files.moreVariables, ...variables });
}

async function isThere(checkout: string, commit: string): Promise<boolean> {
  return (await git(checkout, "cat-file", "-t", commit).catch(() => "")).trim() === "commit";
}

async function remoteOf(checkout: string): Promise<string | undefined> {
  const remotes = (await git(checkout, "remote")).split("\n").filter((name) => name !== "");
  return remotes.includes("origin") ? "origin" : remotes[0];
}

async function commitOfFlux(checkout: string, branch: string): Promise<{ commit: string; from: string }> {
  const remote = await remoteOf(checkout);
  if (remote === undefined) {
    const current = (await git(checkout, "branch", "--show-current")).trim();
    if (current === branch) {
      throw refusal(
        checkout,
        `branch ${branch} checked out, and no remote`,
        "the branch that Flux reads",
        "switch to it",
      );
    }
    return { commit: "HEAD", from: current === "" ? "HEAD" : `branch ${current}` };
  }
  const said = await git(checkout, "ls-remote", "--exit-code", "--", remote, "HEAD");
  const commit = /^([0-9a-f]{40,64})\t/.exec(said)?.[1] ?? "";
  if (!(await isThere(checkout, commit))) {
    throw refusal(checkout, `no copy of ${remote}'s newest commit`, "one", `git -C CHECKOUT fetch ${remote}`);
  }
  return { commit, from: `${remote} at ${commit.slice(0, 12)}` };
}

async function git(checkout: string, ...args: string[]): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !HOOK_VARIABLES.includes(name)),
  );
  const { stdout } = await promisify(execFile)("git", ["-C", checkout, ...args], {
    timeout: GIT_TIMEOUT_MS,
    env: { ...env, GIT_TERMINAL_PROMPT: "0" },
  });
  return stdout;
}
