import { readdirSync } from "node:fs";
import { readJournal } from "../components/cluster/journal";
import type { KubeClient } from "../components/cluster/kubeClient";
import { volumeFolder } from "./cluster/claimVolume";
import type { Claim } from "./outcome";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

/** What stage cleanup is asked to remove, as the config key `cleanup`. */
export const CLEANUP_CONFIG = { fileData: "data-openbao-0" } as const;

/** Folders that file storage always has at its root. */
const FILE_STORAGE = ["core", "logical", "sys"];
/** What Raft has there. */
const RAFT = ["raft", "vault.db"];

/** What stage cleanup left on the volume, by a look into its folder and by the journal. */
export async function cleanupClaims(kube: KubeClient): Promise<Claim[]> {
  const folder = await volumeFolder(kube, CLEANUP_CONFIG.fileData);
  const journal = await readJournal(kube, SOURCE_NAMESPACE);
  const done = journal.filter(({ step, beat }) => step === "cleanup-file-data" && beat === "done").at(-1);
  return cleaned(readdirSync(folder), done?.observed ?? {});
}

/** Pure: by the names at the volume's root, and what the step says of itself. */
export function cleaned(names: readonly string[], facts: Readonly<Record<string, unknown>>): Claim[] {
  const left = FILE_STORAGE.filter((name) => names.includes(name));
  const lost = RAFT.filter((name) => !names.includes(name));
  const { removed, kept } = facts;
  return [
    {
      claim: "cleanup removed the file storage that it was asked to, and left Raft's own files",
      holds: left.length === 0 && lost.length === 0,
      seen: `of the file storage ${left.join(", ") || "nothing"}, of Raft ${lost.length === 0 ? "all" : `without ${lost.join(", ")}`}`,
    },
    {
      claim: "cleanup says that each file of the carried manifest is gone",
      holds: typeof removed === "number" && removed > 0 && kept === 0,
      seen: `${String(removed)} removed, ${String(kept)} kept`,
    },
  ];
}
