import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { renderValues, variablesOf } from "../../components/land/renderedValues";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../source/platformFiles";

const GIT_SECONDS = 30;
/** The branch that Flux follows. */
export const MAIN = "main";

/** Makes the bare repository that Flux follows from a checkout, and makes it the checkout's remote `origin`. */
export async function publish(checkout: string, bare: string): Promise<void> {
  if (existsSync(bare)) return;
  await git(undefined, "clone", "--quiet", "--bare", "--", checkout, bare);
  await git(checkout, "remote", "add", "origin", bare);
  await git(checkout, "fetch", "--quiet", "origin");
}

/**
 * The reviewer's part: merges `branch` into the main branch as a squash merge does, so that the branch's own commits
 * never become part of it. @returns the new commit.
 * @throws Error of git when the branch was not pushed.
 */
export async function squashMerge(bare: string, branch: string): Promise<string> {
  const tree = await git(bare, "rev-parse", "--verify", `refs/heads/${branch}^{tree}`);
  const message = `Run OpenBao on Raft (squashed from ${branch})`;
  const commit = await git(bare, "commit-tree", tree, "-p", `refs/heads/${MAIN}`, "-m", message);
  await git(bare, "update-ref", `refs/heads/${MAIN}`, commit);
  return commit;
}

/** Whether the repository has the branch. */
export async function hasBranch(bare: string, branch: string): Promise<boolean> {
  return (await git(bare, "for-each-ref", `refs/heads/${branch}`)) !== "";
}

/** What the main branch says of the server, in words. */
export async function mainSays(bare: string): Promise<string> {
  const read = (file: string): Promise<string> => git(bare, "show", `${MAIN}:${file}`);
  const files = { helmRelease: HELM_RELEASE_FILE, release: "openbao", namespace: "openbao" };
  const variables = variablesOf(await read(VARIABLES_FILE), VARIABLES_FILE);
  return serverWords(renderValues(await read(HELM_RELEASE_FILE), files, variables));
}

/** Pure: "standalone", or "raft with 3 replicas". */
export function serverWords(values: object): string {
  const { server } = values as {
    server?: {
      standalone?: { enabled?: boolean };
      ha?: { enabled?: boolean; replicas?: number; raft?: { enabled?: boolean } };
    };
  };
  const raft = server?.ha?.enabled === true && server.ha.raft?.enabled === true;
  if (raft && server?.standalone?.enabled === true) return "raft and standalone";
  return raft ? `raft with ${String(server?.ha?.replicas)} replicas` : "standalone";
}

async function git(folder: string | undefined, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_AUTHOR_NAME: "Reviewer",
    GIT_AUTHOR_EMAIL: "reviewer@rehearsal.example",
    GIT_COMMITTER_NAME: "Reviewer",
    GIT_COMMITTER_EMAIL: "reviewer@rehearsal.example",
  };
  const where = folder === undefined ? [] : ["-C", folder];
  const done = await promisify(execFile)("git", [...where, ...args], { env, timeout: GIT_SECONDS * 1000 });
  return done.stdout.trim();
}
