import { existsSync, lstatSync, realpathSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { git, gitRaw } from "./git";
import { refusal, type LandRefusal } from "./landRefusal";
import type { RaftTuning } from "../openBaoConfig/retryJoin";
import type { PolicyFile } from "./networkPolicyEdit";
import { themesOf } from "./themes";

/** What is to land, and where. */
export interface LandPlan {
  /** Folder of the checkout; relative to the working folder, or absolute. */
  readonly checkout: string;
  /** Branch that gets the commits; made from the current commit when it is not there. */
  readonly branch: string;
  /** File of the HelmRelease, inside the checkout. */
  readonly helmRelease: string;
  /** True when that file holds a release's values alone, for Helm itself. @default false */
  readonly plainValues?: boolean;
  /** File of the variables ConfigMap, inside the checkout. @default none: the number is written */
  readonly variables?: string;
  readonly replicasVariable: string;
  readonly release: string;
  readonly namespace: string;
  readonly replicas: number;
  /** File of Talos patches and the subnets that its rule lets in. @default none is written */
  readonly talos?: { readonly file: string; readonly nodeSubnets: readonly string[] };
  /** File of the policies of stage network, and what runs of them. @default none is written */
  readonly networkPolicy?: PolicyFile;
  /** File of the Kyverno policy that exempts the server from a replica floor. @default none is edited */
  readonly replicaFloor?: string;
  /** What the Raft config needs beside the names. @default nothing */
  readonly raft?: RaftTuning;
}

/** Texts of files by their paths inside the checkout; a file that is not there has none. */
export type Texts = ReadonlyMap<string, string>;

/** The files that the change set would change in a commit; writes nothing. */
export async function filesToChange(checkout: string, plan: LandPlan, ref: string): Promise<string[]> {
  const files = new Set<string>();
  for (const { before, after } of await stepsFrom(checkout, plan, ref)) {
    for (const [file, text] of after) if (before.get(file) !== text) files.add(file);
  }
  return [...files];
}

/** What each theme of the change set makes of a commit's files, one after the other. */
export async function stepsFrom(
  checkout: string,
  plan: LandPlan,
  ref: string,
): Promise<{ readonly before: Texts; readonly after: Texts }[]> {
  const texts = new Map<string, string>();
  const read = new Set<string>();
  const steps: { before: Texts; after: Texts }[] = [];
  for (const { files, change } of themesOf(plan)) {
    for (const file of files.filter((one) => !read.has(one))) {
      read.add(file);
      const text = await committed(checkout, ref, file);
      if (text !== undefined) texts.set(file, text);
    }
    const before = new Map(texts);
    const after = change(before);
    for (const [file, text] of after) texts.set(file, text);
    steps.push({ before, after });
  }
  return steps;
}

/** A tree holds a link as an entry of its own mode, so no path read here leads out of the checkout. */
export async function committed(checkout: string, ref: string, file: string): Promise<string | undefined> {
  const path = normalize(file);
  const entry = await git(checkout, "--literal-pathspecs", "ls-tree", ref, "--", path).catch(() => "");
  if (entry === "") return undefined;
  if (!/^100\d{3} blob /.test(entry)) throw noFile(file);
  return await gitRaw(checkout, "show", `${ref}:./${path}`);
}

/** @throws LandRefusal for a path that is no plain file: a link could lead out of the checkout. */
export function assertInside(checkout: string, file: string): void {
  const path = join(checkout, file);
  if (!existsSync(path) || !lstatSync(path).isFile()) throw noFile(file);
  if (!realpathSync(path).startsWith(realpathSync(checkout) + sep)) {
    throw refusal(file, "a path that leads out of the checkout", "a file inside it", "name the real file");
  }
}

export function noFile(file: string): LandRefusal {
  return refusal(file, "no such file in the checkout", "the file named in the config", "correct its path");
}
