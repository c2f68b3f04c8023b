import { execFile } from "node:child_process";
import { existsSync, lstatSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, normalize, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { helmReleaseEdit } from "./helmReleaseEdit";
import { talosEdit } from "./talosEdit";
import { refusal, type LandRefusal } from "./landRefusal";
import { renderedValues } from "./renderedValues";
import { variablesEdit } from "./variablesEdit";

const GIT_TIMEOUT_MS = 30_000;

/** Set inside a hook; they would send the commits to the hook's repository. */
const HOOK_VARIABLES = new Set(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"]);

const FALLBACK_IDENTITY = {
  "user.name": "openbao-raft-migration",
  "user.email": "openbao-raft-migration@localhost",
};

/** What is to land, and where. */
export interface LandPlan {
  /** Folder of the checkout; relative to the working folder, or absolute. */
  readonly checkout: string;
  /** Branch that gets the commits; made from the current commit when it is not there. */
  readonly branch: string;
  /** File of the HelmRelease, inside the checkout. */
  readonly helmRelease: string;
  /** File of the variables ConfigMap, inside the checkout. @default none: the number is written */
  readonly variables?: string;
  readonly replicasVariable: string;
  readonly release: string;
  readonly namespace: string;
  readonly replicas: number;
  /** File of Talos patches and the subnets that its rule lets in. @default none is written */
  readonly talos?: { readonly file: string; readonly nodeSubnets: readonly string[] };
  /** CA file in the pod for a TLS listener. @default the listener's tls_client_ca_file */
  readonly leaderCaCertFile?: string;
  /** Name in the leader's certificate. @default each node's own name */
  readonly leaderServerName?: string;
}

export interface LandResult {
  readonly branch: string;
  /** Subjects of the commits made now; empty when all had landed before. */
  readonly commits: readonly string[];
  /** Files that these commits changed, inside the checkout. */
  readonly changed: readonly string[];
  /** The branch's newest commit. */
  readonly head: string;
  /** The HelmRelease's values as Flux would render them from the branch. */
  readonly values: Record<string, unknown>;
}

interface Edit {
  readonly file: string;
  readonly subject: string;
  readonly change: (text: string) => string;
}

/**
 * Writes the change set into the checkout: one commit a theme, nothing pushed. A second run finds nothing to do.
 * @throws LandRefusal for a checkout that is missing, dirty or not understood; nothing is written then. Also for
 * a commit that git refuses (a hook, a missing key): its edit is taken back, and a commit made before it stays.
 */
export async function land(plan: LandPlan): Promise<LandResult> {
  const checkout = resolve(plan.checkout);
  await assertClean(checkout);
  // Tried on the commit first: a shape that is not understood leaves the branch and the tree as they were.
  const known = await hasBranch(checkout, plan.branch);
  await filesToChange(checkout, plan, known ? `refs/heads/${plan.branch}` : "HEAD");
  await switchTo(checkout, plan.branch, known);
  const commits: string[] = [];
  const changed = new Set<string>();
  for (const { file, subject, change } of editsOf(plan)) {
    // Checked and read after the switch, and anew each time: both themes may stand in one file.
    assertInside(checkout, file);
    const before = readFileSync(join(checkout, file), "utf8");
    const text = change(before);
    if (text === before) continue;
    writeFileSync(join(checkout, file), text);
    await commit(checkout, file, subject);
    commits.push(subject);
    changed.add(file);
  }
  return {
    branch: plan.branch,
    commits,
    changed: [...changed],
    head: await git(checkout, "rev-parse", "HEAD"),
    values: await renderedValues(checkout, plan),
  };
}

/**
 * Tells whether the branch is there and says all of the change set; reads commits only, whatever is checked out.
 * @throws LandRefusal for a checkout or a file that is missing or not understood.
 */
export async function landedAlready(plan: LandPlan): Promise<boolean> {
  const checkout = resolve(plan.checkout);
  await statusOf(checkout);
  if (!(await hasBranch(checkout, plan.branch))) return false;
  return (await filesToChange(checkout, plan, `refs/heads/${plan.branch}`)).length === 0;
}

/** The files that the change set would change in a commit; writes nothing. */
async function filesToChange(checkout: string, plan: LandPlan, ref: string): Promise<string[]> {
  const texts = new Map<string, string>();
  const files = new Set<string>();
  for (const { file, change } of editsOf(plan)) {
    const before = texts.get(file) ?? (await committed(checkout, ref, file));
    const text = change(before);
    texts.set(file, text);
    if (text !== before) files.add(file);
  }
  return [...files];
}

/** A tree holds a link as an entry of its own mode, so no path read here leads out of the checkout. */
async function committed(checkout: string, ref: string, file: string): Promise<string> {
  const path = normalize(file);
  const entry = await git(checkout, "--literal-pathspecs", "ls-tree", ref, "--", path).catch(() => "");
  if (!/^100\d{3} blob /.test(entry)) throw noFile(file);
  return await gitRaw(checkout, "show", `${ref}:./${path}`);
}

function editsOf(plan: LandPlan): Edit[] {
  const { variables, replicasVariable, ...rest } = plan;
  const release: Edit = {
    file: plan.helmRelease,
    subject: `feat(openbao): run on Raft with ${plan.replicas} nodes`,
    change: (text) =>
      helmReleaseEdit(text, {
        file: rest.helmRelease,
        release: rest.release,
        namespace: rest.namespace,
        replicas: rest.replicas,
        ...(variables !== undefined && { replicasVariable }),
        ...(rest.leaderCaCertFile !== undefined && { leaderCaCertFile: rest.leaderCaCertFile }),
        ...(rest.leaderServerName !== undefined && { leaderServerName: rest.leaderServerName }),
      }),
  };
  const talos = plan.talos === undefined ? [] : [talosRuleEdit(plan.talos)];
  if (variables === undefined) return [...talos, release];
  const count: Edit = {
    file: variables,
    subject: `feat(openbao): ask for ${plan.replicas} replicas`,
    change: (text) =>
      variablesEdit(text, { file: variables, variable: replicasVariable, value: String(plan.replicas) }),
  };
  // The count first: at no commit does Git ask for Raft with one node while three run, which would cost the quorum.
  return [...talos, count, release];
}

function talosRuleEdit({ file, nodeSubnets }: NonNullable<LandPlan["talos"]>): Edit {
  return {
    file,
    subject: "feat(talos): let nodes reach nodes on OpenBao's Raft ports",
    change: (text) => talosEdit(text, { file, nodeSubnets }),
  };
}

async function assertClean(checkout: string): Promise<void> {
  const status = await statusOf(checkout);
  if (status === "") return;
  throw refusal(
    checkout,
    `changes that are not committed (${status.split("\n")[0]?.slice(0, 100)})`,
    "a clean tree",
    "commit or stash them",
  );
}

async function statusOf(checkout: string): Promise<string> {
  const refuse = (found: string): LandRefusal =>
    refusal(checkout, found, "the platform's Git checkout", 'set "openbao-migration:git.checkout"');
  if (!existsSync(checkout)) throw refuse("no folder");
  try {
    return await git(checkout, "status", "--porcelain");
  } catch (error) {
    // Git also says no to a folder of another user, which a bare "no repository" would hide.
    throw refuse(`no Git repository that can be read (${words(error)})`);
  }
}

/** A link could lead out of the checkout. */
function assertInside(checkout: string, file: string): void {
  const path = join(checkout, file);
  if (!existsSync(path) || !lstatSync(path).isFile()) throw noFile(file);
  if (!realpathSync(path).startsWith(realpathSync(checkout) + sep)) {
    throw refusal(file, "a path that leads out of the checkout", "a file inside it", "name the real file");
  }
}

function noFile(file: string): LandRefusal {
  return refusal(file, "no such file in the checkout", "the file named in the config", "correct its path");
}

async function hasBranch(checkout: string, branch: string): Promise<boolean> {
  return (await git(checkout, "for-each-ref", "--format=%(refname)", `refs/heads/${branch}`))
    .split("\n")
    .includes(`refs/heads/${branch}`);
}

async function switchTo(checkout: string, branch: string, known: boolean): Promise<void> {
  if ((await git(checkout, "branch", "--show-current")) === branch) return;
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
async function commit(checkout: string, file: string, subject: string): Promise<void> {
  try {
    await git(checkout, "--literal-pathspecs", "add", "--", file);
    const who = await identity(checkout);
    await git(checkout, "--literal-pathspecs", ...who, "commit", "--quiet", "--message", subject, "--", file);
  } catch (error) {
    await git(checkout, "--literal-pathspecs", "restore", "--staged", "--worktree", "--", file);
    throw refusal(
      file,
      `a commit that git refused (${words(error)})`,
      "a commit",
      "correct that, and run again",
    );
  }
}

/** The user's own name where git has one; a made-up one would hide who ran this. */
async function identity(checkout: string): Promise<string[]> {
  const who: string[] = [];
  for (const [key, fallback] of Object.entries(FALLBACK_IDENTITY)) {
    // A key that is not set makes git exit with 1.
    const own = await git(checkout, "config", key).catch(() => "");
    if (own === "") who.push("-c", `${key}=${fallback}`);
  }
  return who;
}

async function git(checkout: string, ...args: string[]): Promise<string> {
  return (await gitRaw(checkout, ...args)).trim();
}

async function gitRaw(checkout: string, ...args: string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !HOOK_VARIABLES.has(key)));
  const { stdout } = await promisify(execFile)("git", ["-C", checkout, ...args], {
    timeout: GIT_TIMEOUT_MS,
    env: { ...env, GIT_TERMINAL_PROMPT: "0" },
  });
  return stdout;
}

/** Git's own words, or that it took too long. */
function words(error: unknown): string {
  const { stderr, killed } = error as { stderr?: string; killed?: boolean };
  if (killed === true) return `no answer from git in ${GIT_TIMEOUT_MS / 1000} s`;
  return (stderr ?? "").trim().split("\n").join(" / ").slice(0, 300) || "git gave no reason";
}
