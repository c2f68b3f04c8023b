import { rmSync } from "node:fs";
import { join } from "node:path";
import { git, words } from "./git";
import { refusal } from "./landRefusal";

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

/** An edit whose commit fails is taken back: a dirty tree would stop the next run. */
export async function commitFile(
  checkout: string,
  file: string,
  subject: string,
  who: readonly string[],
): Promise<void> {
  const literal = "--literal-pathspecs";
  const tracked = (await git(checkout, literal, "ls-tree", "HEAD", "--", file)) !== "";
  try {
    if (!tracked) await git(checkout, literal, "add", "--", file);
    await git(checkout, literal, ...who, "commit", "--quiet", "--message", subject, "--", file);
  } catch (error) {
    if (tracked) await git(checkout, literal, "restore", "--staged", "--worktree", "--", file);
    else {
      await git(checkout, literal, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", file);
      rmSync(join(checkout, file), { force: true });
    }
    throw refusal(
      file,
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
