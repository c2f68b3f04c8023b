import type { MigrationConfig } from "../../config";
import { keysIn, type Keys, type SecretManifest } from "../land/sopsSecret";
import { seeKeyCopy, tryKeySink, type KeyCopyPlace, type SeenCopy } from "../land/keyCopy";
import { LandRefusal } from "../land/landRefusal";
import { carryPath } from "../steps/carryPath";

/** The encrypted copy of the key Secret in Git; never its content. */
export interface GitKeyView {
  readonly file: string;
  /** Against the live keys, as committed on the branch to land on. */
  readonly copy: SeenCopy["state"] | "faulty";
  /** What is wrong with a faulty copy. */
  readonly fault?: string;
  /** Only where new keys will be made: why they could not be written, found with placeholders. */
  readonly sinkFault?: string;
}

/**
 * Looks at the copy that the config names, and tries the way to write one where a reseed will need it.
 * @param live the key Secret as the API server gave it.
 * @throws Error when the live keys are not there, or git cannot run.
 */
export async function readGitKey(config: MigrationConfig, live: unknown): Promise<GitKeyView | undefined> {
  const { git, keySecret, namespace } = config;
  if (git?.keySecret === undefined) return undefined;
  const { checkout, branch, keySecret: file } = git;
  const place: KeyCopyPlace = { checkout, branch, file, namespace, secret: keySecret };
  const keys = keysIn((live ?? {}) as SecretManifest, keySecret);
  if (keys?.rootToken === undefined) throw new Error("the live Secret has no keys to compare with");
  const copy = await orFault(() => seeKeyCopy(place, keys as Keys));
  const sink = carryPath(config) === "reseed" ? await orFault(() => tryKeySink(place)) : undefined;
  return {
    file,
    ...(typeof copy === "string" ? { copy: "faulty" as const, fault: copy } : { copy: copy.state }),
    ...(typeof sink === "string" && { sinkFault: sink }),
  };
}

/** What the checkout or sops refused, in words without a key. */
async function orFault<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LandRefusal) return error.message;
    throw error;
  }
}
