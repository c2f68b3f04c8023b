import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readJournal } from "../components/cluster/journal";
import type { KubeClient } from "../components/cluster/kubeClient";
import { volumeFolder } from "./cluster/claimVolume";
import type { RehearsalOptions } from "./options";
import type { Claim } from "./outcome";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

/** Not of the file storage: Raft's own, this program's, and a file system's. */
const OTHERS = ["raft", "vault.db", ".openbao-raft-migration", "lost+found"];
/** What migrate leaves out, and each of the program's manifests with it. */
const OF_A_SERVER = /^core\/(_migration|_lock|leader\/.*)$/;

/** Whether a rehearsal has it at its end, on a volume that can be looked into. */
export function keepsFileStorage({
  context,
  carry,
  cleanup,
}: Pick<RehearsalOptions, "context" | "carry" | "cleanup">): boolean {
  return context === undefined && carry === "migrate" && !cleanup;
}

/** Until it is removed by name, the old file storage is what a rollback starts: hashed here, not by the program. */
export async function fileStorageClaim(kube: KubeClient): Promise<Claim> {
  const folder = await volumeFolder(kube, "data-openbao-0");
  const journal = await readJournal(kube, SOURCE_NAMESPACE);
  const carried = journal.filter(({ step, beat }) => step === "carry" && beat === "done").at(-1);
  return untouched(folder, carried?.observed ?? {});
}

/** By the files of the folder, and what step carry said of them. */
export function untouched(folder: string, { entries, manifest }: Readonly<Record<string, unknown>>): Claim {
  const lines = filesOf(folder).map((path) => `${sha256(readFileSync(join(folder, path)))}  ${path}\n`);
  const sorted = lines.map((line) => Buffer.from(line)).sort((a, b) => Buffer.compare(a, b));
  const digest = sha256(Buffer.concat(sorted));
  return {
    claim: "the old file storage is what was carried, file by file (hashed without the program)",
    holds: lines.length > 0 && lines.length === entries && digest === manifest,
    seen: `${lines.length} files, ${digest.slice(0, 12)}; carried ${String(entries)}, ${String(manifest).slice(0, 12)}`,
  };
}

function filesOf(folder: string): string[] {
  const all = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !OTHERS.includes(entry.name))
    .flatMap(({ name }) => readdirSync(join(folder, name), { recursive: true, withFileTypes: true }));
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !OF_A_SERVER.test(path));
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
