import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs git in the repository and gives its output. */
export type Git = (...words: string[]) => string;

/** An author, and no process after a commit that asks whether there is anything to tidy up. */
const SETTINGS = "[user]\n\tname = t\n\temail = t@localhost\n[maintenance]\n\tauto = false\n";

/**
 * Gives a maker of repositories on branch main, each in a folder of its own: filled once a process, and copied from then
 * on, since each process that git starts costs.
 */
export function gitTemplate(name: string, fill: (folder: string, git: Git) => void): () => string {
  let template: string | undefined;
  const made = (): string => {
    const folder = mkdtempSync(join(tmpdir(), `${name}-template-`));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const git = gitIn(folder);
    git("init", "--quiet", "--template=", "--initial-branch=main");
    appendFileSync(join(folder, ".git/config"), SETTINGS);
    fill(folder, git);
    return folder;
  };
  return () => {
    const folder = mkdtempSync(join(tmpdir(), `${name}-`));
    cpSync((template ??= made()), folder, { recursive: true });
    return folder;
  };
}

export function gitIn(folder: string): Git {
  return (...words) =>
    execFileSync("git", ["-C", folder, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
}
