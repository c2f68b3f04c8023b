import { createHash } from "node:crypto";
import { canonicalJson } from "../inventory/digester";
import type { ReleaseName } from "../delivery/releaseReader";
import type { JournalEntry } from "../cluster/journal";

/** What the text of a pull request is made of. */
export interface PullRequest {
  readonly release: string;
  readonly namespace: string;
  readonly branch: string;
  readonly replicas: number;
  /** Who applies the chart. @default "flux" */
  readonly delivery?: ReleaseName["delivery"];
  /** Subjects of the change set's commits, oldest first. */
  readonly themes: readonly string[];
  readonly files: readonly string[];
  /** The journal of the migration; it holds no secret. */
  readonly journal: readonly JournalEntry[];
}

const BY_FLUX = {
  why: [
    "The cluster runs so already: openbao-raft-migration moved it while Flux was paused. This makes Git say the same,",
    "so that Flux changes nothing when it is resumed.",
  ],
  before: (branch: string) => [
    `Until branch \`${branch}\` is merged, Git asks for the old file storage, and step resume leaves Flux paused. Merge it,`,
    "then run `pulumi up` again: it looks for the merge in what Flux follows, and resumes Flux.",
  ],
};
const BY_HELM = {
  why: [
    "The cluster runs so already: openbao-raft-migration moved it. This makes Git say the same, so that the next",
    "`helm upgrade` with the values of this branch changes nothing.",
  ],
  before: (branch: string) => [
    `Merge branch \`${branch}\` before anybody runs \`helm upgrade\` with values from Git: until then Git asks for the old`,
    "file storage.",
  ],
};

/** Pure: title and body in Markdown, ready to be pasted. The same journal gives the same text. */
export function pullRequestText(request: PullRequest): string {
  const { release, namespace, branch, replicas, themes, files } = request;
  const done = finished(request.journal);
  const byHelm = request.delivery === "helm";
  return [
    `# Run OpenBao \`${namespace}/${release}\` on Raft with ${replicas} nodes`,
    "",
    ...(byHelm ? BY_HELM.why : BY_FLUX.why),
    "",
    "## Changes",
    "",
    ...themes.map((theme) => `- ${theme}`),
    "",
    ...files.map((file) => `- \`${file}\``),
    "",
    "## Evidence",
    "",
    `Digest of the journal (${done.length} finished steps): \`sha256:${evidenceDigest(request.journal)}\``,
    "",
    "| Step | Finished (UTC) | Seen |",
    "| --- | --- | --- |",
    ...done.map(({ step, time, observed }) => `| ${step} | ${time} | ${cell(observed)} |`),
    "",
    "## Before it is merged, and after",
    "",
    ...(byHelm ? BY_HELM : BY_FLUX).before(branch),
    "",
    "**Reverting this is no rollback.** With the old values the server would start on file storage that is as old as the",
    "stop of the migration: writes made since then exist on Raft only. To go back, stop and ask the people who ran the",
    "migration; the file storage, its volume and the key Secret are untouched.",
    "",
  ].join("\n");
}

/** SHA-256 over the finished steps up to landing: the same in the pull request, and made again from the journal. */
export function evidenceDigest(journal: readonly JournalEntry[]): string {
  const done = finished(journal).map(({ step, time, observed }) => ({ step, time, observed }));
  return createHash("sha256").update(canonicalJson(done)).digest("hex");
}

/** What came before landing, so that a second landing says the same. */
function finished(journal: readonly JournalEntry[]): JournalEntry[] {
  const later = ["land-git", "resume", "zero-drift"];
  return journal.filter(({ beat, step }) => beat === "done" && !later.includes(step));
}

/** Facts in one table cell: nothing in them may end the cell, or become markup. */
function cell(facts: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(facts)
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return short.replace(/[\r\n]+/g, " ").replace(/[\\|<>`*_[\]]/g, "\\$&");
}
