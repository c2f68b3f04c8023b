import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { refusal } from "./landRefusal";

const TIMEOUT_MS = 30_000;

/** Set inside a hook; they would send the commits to the hook's repository. */
const HOOK_VARIABLES = new Set(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"]);

/** Runs git in a checkout: an argv array, no prompt, at most 30 s. Gives its output without the spaces around it. */
export async function git(checkout: string, ...args: string[]): Promise<string> {
  return (await gitRaw(checkout, ...args)).trim();
}

/** Like `git`, with the output as it is. */
export async function gitRaw(checkout: string, ...args: string[]): Promise<string> {
  return (await run(checkout, args)).toString("utf8");
}

/** The texts of blobs by their names, in one call. @throws Error of git, or for a name that is no blob's */
export async function blobTexts(checkout: string, blobs: readonly string[]): Promise<string[]> {
  let rest = await run(checkout, ["cat-file", "--batch"], `${blobs.join("\n")}\n`);
  return blobs.map((blob) => {
    const head = rest.subarray(0, rest.indexOf("\n")).toString("utf8");
    const size = Number(/^\w+ blob (\d+)$/.exec(head)?.[1] ?? "NaN");
    if (Number.isNaN(size)) throw new Error(`git has no blob ${blob}`);
    const text = rest.subarray(head.length + 1, head.length + 1 + size).toString("utf8");
    rest = rest.subarray(head.length + size + 2);
    return text;
  });
}

async function run(checkout: string, args: readonly string[], input = ""): Promise<Buffer> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !HOOK_VARIABLES.has(key)));
  const running = promisify(execFile)("git", ["-C", checkout, ...args], {
    encoding: "buffer",
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" },
  });
  // A git that ends at once reads none of it, and says itself why.
  running.child.stdin?.on("error", () => undefined).end(input);
  return (await running).stdout;
}

/** Git's own words, or that it took too long. A remote's address may hold a password, which is left out. */
export function words(error: unknown): string {
  const { stderr, killed } = error as { stderr?: string | Buffer; killed?: boolean };
  if (killed === true) return `no answer from git in ${TIMEOUT_MS / 1000} s`;
  const said = String(stderr ?? "")
    .trim()
    .replace(/:\/\/[^/@\s]*@/g, "://***@");
  return said.split("\n").join(" / ").slice(0, 300) || "git gave no reason";
}

/**
 * Pushes a branch to the remote `origin` under its own name, never by force, and asks the remote what it has now.
 * @throws LandRefusal with the remote's words, or when the remote does not have `head` afterwards (F69).
 */
export async function pushBranch(checkout: string, branch: string, head: string): Promise<void> {
  const ref = `refs/heads/${branch}`;
  try {
    await git(checkout, "push", "--quiet", "origin", `${ref}:${ref}`);
  } catch (error) {
    throw refusal(
      checkout,
      `a push of ${branch} that origin did not take (${words(error)})`,
      "the branch there as it is here",
      "put that right and run again, or push by hand and set git.push to false",
    );
  }
  const there = (await git(checkout, "ls-remote", "origin", ref)).split(/\s/)[0];
  if (there === head) return;
  throw refusal(checkout, `${branch} at ${there || "nothing"} on origin`, head, "look who else pushes it");
}
