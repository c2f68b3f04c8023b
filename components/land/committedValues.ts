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
  const read = (path: string) => git(checkout, "show", `${commit}:./${normalize(path)}`);
  const variables =
    files.variables === undefined ? {} : variablesOf(await read(files.variables), files.variables);
  const values = renderValues(await read(files.helmRelease), files, { ...files.moreVariables, ...variables });
  return { values, from };
}

async function commitOfFlux(checkout: string, branch: string): Promise<{ commit: string; from: string }> {
  const remotes = (await git(checkout, "remote")).split("\n").filter((name) => name !== "");
  const [remote] = remotes.includes("origin") ? ["origin"] : remotes;
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
  const known = await git(checkout, "cat-file", "-t", commit).catch(() => "");
  if (known.trim() !== "commit") {
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
