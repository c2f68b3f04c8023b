import { existsSync, lstatSync, realpathSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { blobTexts, git } from "./git";
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
  const themes = themesOf(plan);
  const texts = new Map(
    await committedTexts(
      checkout,
      ref,
      themes.flatMap(({ files }) => files),
    ),
  );
  const steps: { before: Texts; after: Texts }[] = [];
  for (const { change } of themes) {
    const before = new Map(texts);
    const after = change(before);
    for (const [file, text] of after) texts.set(file, text);
    steps.push({ before, after });
  }
  return steps;
}

/** The text of a file in a commit; undefined where the commit has none. @throws LandRefusal as `committedTexts` does */
export async function committed(checkout: string, ref: string, file: string): Promise<string | undefined> {
  return (await committedTexts(checkout, ref, [file])).get(file);
}

/**
 * In two calls of git, however many files: each process costs. A tree holds a link as an entry of its own mode, so no
 * path read here leads out of the checkout.
 * @throws LandRefusal for one that is no plain file.
 */
async function committedTexts(checkout: string, ref: string, files: readonly string[]): Promise<Texts> {
  const paths = [...new Set(files.map((file) => normalize(file)))];
  const tree = await git(checkout, "--literal-pathspecs", "ls-tree", "-z", ref, "--", ...paths).catch(
    () => "",
  );
  const blobs = new Map<string, string>();
  for (const entry of tree.split("\0").filter((one) => one !== "")) {
    const [, mode = "", blob = "", path = ""] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(entry) ?? [];
    if (!mode.startsWith("100")) throw noFile(path);
    blobs.set(path, blob);
  }
  if (blobs.size === 0) return new Map();
  const held = [...new Set(blobs.values())];
  const texts = await blobTexts(checkout, held);
  return new Map(
    files.flatMap((file) => {
      const blob = blobs.get(normalize(file));
      return blob === undefined ? [] : [[file, texts[held.indexOf(blob)] ?? ""] as const];
    }),
  );
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
