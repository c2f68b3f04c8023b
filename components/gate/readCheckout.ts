import { execFile } from "node:child_process";
import { lstat, readFile, realpath } from "node:fs/promises";
import { isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import type { MigrationConfig } from "../../config";
import { foreignChanges } from "../land/landing";
import { landPlan } from "../land/landPlan";
import { kustomizationOf } from "../land/networkPolicyEdit";
import type { RaftPolicyObject } from "../raftPolicyObjects";
import { draftOf } from "../land/leftovers";

const run = promisify(execFile);

/** The Git checkout that stage land writes. */
export interface CheckoutView {
  readonly folder: "missing" | "not-a-folder" | "not-a-repository" | "repository";
  /** Files of the config, and whether each is a plain file inside the checkout. */
  readonly files: readonly {
    readonly path: string;
    readonly state: "file" | "missing" | "outside" | "other";
  }[];
  /** Paths with changes that are not committed; at most 20. What a killed run of land left is not among them. */
  readonly changed: readonly string[];
  readonly branch: string;
  /** Why the policies that run are not those that stage land would write. */
  readonly refused?: string;
}

/**
 * Looks at the checkout with fs and `git`, without a prompt and without a change.
 * @param policies those of stage network that run, as stage land would write them.
 * @throws Error when git cannot run
 */
export async function readCheckout(
  git: NonNullable<MigrationConfig["git"]>,
  about: Pick<
    MigrationConfig,
    "release" | "namespace" | "replicas" | "talos" | "tls" | "performanceMultiplier"
  >,
  policies: readonly RaftPolicyObject[],
  timeoutMs: number,
): Promise<CheckoutView> {
  const folder = resolve(git.checkout);
  const none = { files: [], changed: [], branch: "" };
  const stat = await lstat(folder).catch(() => undefined);
  if (stat === undefined) return { folder: "missing", ...none };
  const real = await realpath(folder).catch(() => folder);
  const target = await lstat(real).catch(() => undefined);
  if (target?.isDirectory() !== true) return { folder: "not-a-folder", ...none };
  const paths = await pathsOf(git, real);
  const files = await Promise.all(paths.map(async (path) => ({ path, state: await fileState(real, path) })));
  const status = await askGit(real, ["status", "--porcelain=v1", "--branch", "-z"], timeoutMs);
  if (status === undefined) return { folder: "not-a-repository", ...none, files };
  const [head = "", ...lines] = status.split("\0").filter((line) => line !== "");
  const all = lines.map((line) => line.slice(3));
  const plan = landPlan({ ...git, checkout: real }, about, policies);
  // A file that is not understood is nobody's leftover.
  const foreign = all.length === 0 ? all : await foreignChanges(plan).catch(() => all);
  const ours = git.keySecret === undefined ? [] : await leftCopies(real, git.keySecret);
  const changed = foreign.filter((path) => !ours.includes(path));
  const branch = head.replace(/^## (?:No commits yet on )?/, "").replace(/\.\.\..*$/, "");
  return { folder: "repository", files, changed: changed.slice(0, 20), branch };
}

/** The files that have to be there. A policy file that is not there is made, and listed in the kustomization beside it. */
async function pathsOf(git: NonNullable<MigrationConfig["git"]>, root: string): Promise<string[]> {
  const { networkPolicy: policy } = git;
  const made = policy !== undefined && (await fileState(root, policy)) === "missing";
  const needed = made ? kustomizationOf(policy) : policy;
  return [git.helmRelease, git.values, git.variables, git.talosPatch, needed, git.replicaFloor].filter(
    (path) => path !== undefined,
  );
}

/** What a killed run of step git-keys left is ciphertext; the step itself tells by its digest whether it is its own. */
async function leftCopies(folder: string, file: string): Promise<string[]> {
  const path = normalize(file);
  const text = await readFile(join(folder, path), "utf8").catch(() => "");
  return [draftOf(path), ...(text.includes("sops") && text.includes("ENC[AES256_GCM,") ? [path] : [])];
}

async function askGit(
  folder: string,
  words: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" };
    const { stdout } = await run("git", ["-C", folder, ...words], {
      env,
      timeout: timeoutMs,
      maxBuffer: 8 << 20,
    });
    return stdout;
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === "number") return undefined;
    throw error;
  }
}

async function fileState(root: string, path: string): Promise<"file" | "missing" | "outside" | "other"> {
  const full = join(root, path);
  const stat = await lstat(full).catch(() => undefined);
  if (stat === undefined) return "missing";
  // A link could lead out of the checkout.
  const inside = relative(root, await realpath(full).catch(() => full));
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return "outside";
  return stat.isFile() ? "file" : "other";
}
