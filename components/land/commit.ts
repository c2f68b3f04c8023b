import { git, words } from "./git";
import { refusal } from "./landRefusal";
import { takeBack } from "./leftovers";

const FALLBACK_IDENTITY = {
  "user.name": "openbao-raft-migration",
  "user.email": "openbao-raft-migration@localhost",
};

/** @throws LandRefusal with git's words when it cannot switch. */
export async function switchTo(checkout: string, branch: string, known: boolean): Promise<void> {
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

/**
 * Commits these files alone. Edits whose commit fails are taken back: a dirty tree would stop the next run.
 * @param made those of them that no commit has yet
 * @throws LandRefusal with git's words
 */
export async function commitFiles(
  checkout: string,
  files: readonly string[],
  made: readonly string[],
  subject: string,
  who: readonly string[],
): Promise<void> {
  try {
    if (made.length > 0) await git(checkout, "--literal-pathspecs", "add", "--", ...made);
    const args = ["commit", "--quiet", "--message", subject, "--", ...files];
    await git(checkout, "--literal-pathspecs", ...who, ...args);
  } catch (error) {
    const edited = files.filter((file) => !made.includes(file));
    await takeBack(checkout, { edited, made, drafts: [] });
    throw refusal(
      files.join(", "),
      `a commit that git refused (${words(error)})`,
      "a commit",
      "correct that, and run again",
    );
  }
}

/** The user's own name where git has one; a made-up one would hide who ran this. */
export async function identity(checkout: string): Promise<string[]> {
  // With none of them set, git exits with 1.
  const set = await git(checkout, "config", "--get-regexp", "^user\\.(name|email)$").catch(() => "");
  const own = new Set(set.split("\n").flatMap((line) => /^(\S+) ./.exec(line)?.[1] ?? []));
  return Object.entries(FALLBACK_IDENTITY).flatMap(([key, fallback]) =>
    own.has(key) ? [] : ["-c", `${key}=${fallback}`],
  );
}
