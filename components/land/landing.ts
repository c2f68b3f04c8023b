import { execFile } from "node:child_process";
import { existsSync, lstatSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { helmReleaseEdit } from "./helmReleaseEdit";
import { refusal } from "./landRefusal";
import { renderedValues } from "./renderedValues";
import { variablesEdit } from "./variablesEdit";

const GIT_TIMEOUT_MS = 30_000;

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
}

export interface LandResult {
  readonly branch: string;
  /** Subjects of the commits made now; empty when all had landed before. */
  readonly commits: readonly string[];
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
 * @throws LandRefusal for a checkout that is missing, dirty or not understood; nothing is written then.
 */
export async function land(plan: LandPlan): Promise<LandResult> {
  const checkout = resolve(plan.checkout);
  await assertClean(checkout);
  const edits = editsOf(plan);
  for (const { file } of edits) assertInside(checkout, file);
  await switchTo(checkout, plan.branch);
  // Every edit is made before the first is written: a shape that is not understood leaves the tree as it was.
  const texts = edits.map((edit) => ({
    ...edit,
    text: edit.change(readFileSync(join(checkout, edit.file), "utf8")),
  }));
  const commits: string[] = [];
  for (const { file, subject, text } of texts) {
    if (readFileSync(join(checkout, file), "utf8") === text) continue;
    writeFileSync(join(checkout, file), text);
    await git(checkout, "add", "--", file);
    await git(checkout, ...(await identity(checkout)), "commit", "--quiet", "--message", subject, "--", file);
    commits.push(subject);
  }
  return {
    branch: plan.branch,
    commits,
    head: await git(checkout, "rev-parse", "HEAD"),
    values: await renderedValues(checkout, plan),
  };
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
      }),
  };
  if (variables === undefined) return [release];
  const count: Edit = {
    file: variables,
    subject: `feat(openbao): ask for ${plan.replicas} replicas`,
    change: (text) =>
      variablesEdit(text, { file: variables, variable: replicasVariable, value: String(plan.replicas) }),
  };
  return [release, count];
}

async function assertClean(checkout: string): Promise<void> {
  if (!existsSync(checkout)) {
    throw refusal(
      checkout,
      "no folder",
      "the platform's Git checkout",
      'set "openbao-migration:git.checkout"',
    );
  }
  let status: string;
  try {
    status = await git(checkout, "status", "--porcelain");
  } catch {
    throw refusal(
      checkout,
      "no Git repository",
      "the platform's Git checkout",
      'set "openbao-migration:git.checkout"',
    );
  }
  const first = status.split("\n")[0];
  if (status !== "") {
    throw refusal(
      checkout,
      `changes that are not committed (${first?.slice(0, 100)})`,
      "a clean tree",
      "commit or stash them",
    );
  }
}

/** A link could lead out of the checkout. */
function assertInside(checkout: string, file: string): void {
  const path = join(checkout, file);
  if (!existsSync(path) || !lstatSync(path).isFile()) {
    throw refusal(file, "no such file in the checkout", "the file named in the config", "correct its path");
  }
  if (!realpathSync(path).startsWith(realpathSync(checkout) + sep)) {
    throw refusal(file, "a path that leads out of the checkout", "a file inside it", "name the real file");
  }
}

async function switchTo(checkout: string, branch: string): Promise<void> {
  if ((await git(checkout, "branch", "--show-current")) === branch) return;
  const known = await git(checkout, "branch", "--list", "--format=%(refname:short)", branch);
  await git(checkout, "switch", "--quiet", ...(known === branch ? [branch] : ["--create", branch]));
}

/** The user's own name where git has one; a made-up one would hide who ran this. */
async function identity(checkout: string): Promise<string[]> {
  try {
    await git(checkout, "config", "user.email");
    return [];
  } catch {
    return ["-c", "user.name=openbao-raft-migration", "-c", "user.email=openbao-raft-migration@localhost"];
  }
}

async function git(checkout: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", ["-C", checkout, ...args], {
    timeout: GIT_TIMEOUT_MS,
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
  });
  return stdout.trim();
}
