import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import {
  HELM_RELEASE_FILE,
  helmValuesText,
  PLATFORM_TREE,
  releaseText,
  VALUES_FILE,
  type SourceVariant,
} from "./platformFiles";

const GIT_SECONDS = 30;

/**
 * Writes the platform's tree into `folder` as a Git repository: branch main, one commit. A repository that is there
 * already is left as it is, with whatever was committed since.
 * @throws Error when the folder holds something else, or git fails.
 */
export async function makePlatformCheckout(folder: string, variant: SourceVariant = {}): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const found = readdirSync(folder);
  if (found.includes(".git") && (await git(folder, "rev-list", "--all", "--max-count=1")) !== "") return;
  if (found.length > 0 && !existsSync(`${folder}/.git`)) {
    throw new Error(
      `${folder} holds ${found.length} file(s) and no Git repository; expected an empty or new folder`,
    );
  }
  await git(folder, "init", "--quiet", "--template=", "--initial-branch=main");
  cpSync(PLATFORM_TREE, folder, { recursive: true });
  const file = join(folder, HELM_RELEASE_FILE);
  writeFileSync(file, releaseText(readFileSync(file, "utf8"), variant));
  if (variant.delivery === "helm") {
    rmSync(file);
    mkdirSync(dirname(join(folder, VALUES_FILE)), { recursive: true });
    writeFileSync(join(folder, VALUES_FILE), helmValuesText(variant));
  }
  await git(folder, "add", "--all");
  await git(folder, "commit", "--quiet", "--message=Run OpenBao on one node");
}

/** The user's own Git settings (signing, hooks, templates) do not reach a scratch checkout. */
async function git(folder: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_AUTHOR_NAME: "Platform",
    GIT_AUTHOR_EMAIL: "platform@rehearsal.example",
    GIT_COMMITTER_NAME: "Platform",
    GIT_COMMITTER_EMAIL: "platform@rehearsal.example",
  };
  const done = await promisify(execFile)("git", args, { cwd: folder, env, timeout: GIT_SECONDS * 1000 });
  return done.stdout.trim();
}
