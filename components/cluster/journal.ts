import { KubeError, type KubeClient, type KubeObject } from "./kubeClient";

/** ConfigMap that records who did what and when; it survives the runner and holds no secret (design.md rule 3). */
export const JOURNAL_NAME = "openbao-raft-migration-journal";

export interface JournalEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly holder: string;
  readonly step: string;
  /** "found": the work was done already, and nothing was done again. */
  readonly beat: "act" | "done" | "found" | "refused" | "failed";
  /** SHA-256 of the program that wrote it. */
  readonly program?: string;
  /** Plain facts: counts, digests, names of objects. */
  readonly observed: Readonly<Record<string, unknown>>;
}

/** The journal of one run. Its id is the ConfigMap's uid: given by the API server, and never twice. */
export interface JournalRun {
  readonly id: string;
  /** RFC 3339, by the API server's clock. */
  readonly createdAt: string;
  readonly entries: readonly JournalEntry[];
}
/** The step whose "done" ends a rollback: what was done before it counts for nothing in a migration after it (F68). */
export const ROLLBACK_END = "rollback-resume";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** A ConfigMap holds 1 MiB. What a step finds is small; the words of an error may be a whole reply. */
const MAX_TEXT = 2_000;
/** Failures and refusals that are kept: a run that is tried again all night must not fill the journal. */
const MAX_TROUBLES = 100;

/**
 * Each entry is a key of its own, so that two writers cannot drop each other's. Only the oldest failures and refusals
 * are ever dropped; what steps are judged by stays.
 */
export class Journal {
  private sequence = 0;

  constructor(
    private readonly kube: KubeClient,
    private readonly namespace: string,
    private readonly holder: string,
    /** SHA-256 of the running program; told in each entry. */
    private readonly program?: string,
  ) {}

  async append(entry: Omit<JournalEntry, "time" | "holder" | "program">): Promise<void> {
    const observed = Object.fromEntries(
      Object.entries(entry.observed).map(([key, value]) => [
        key,
        typeof value === "string" ? cut(value) : value,
      ]),
    );
    const full: JournalEntry = {
      time: new Date().toISOString(),
      holder: this.holder,
      ...(this.program !== undefined && { program: this.program }),
      ...entry,
      observed,
    };
    const key = `${full.time.replace(/[:]/g, "")}.${this.sequence++}.${entry.step}.${entry.beat}`;
    await this.write({ [key]: JSON.stringify(full) });
    if (isTrouble(key)) await this.dropOldTroubles();
  }

  private async write(data: Record<string, string | null>): Promise<void> {
    const collection = `/api/v1/namespaces/${this.namespace}/configmaps`;
    const patch = () => this.kube.mergePatch(`${collection}/${JOURNAL_NAME}`, { data });
    try {
      return void (await patch());
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
    }
    try {
      await this.kube.create<ConfigMap>(collection, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: JOURNAL_NAME,
          labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" },
        },
        data: data as Record<string, string>,
      });
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 409) throw error;
      // Another writer has made it in between.
      await patch();
    }
  }

  private async dropOldTroubles(): Promise<void> {
    const map = await this.kube.find<ConfigMap>(
      `/api/v1/namespaces/${this.namespace}/configmaps/${JOURNAL_NAME}`,
    );
    const old = Object.keys(map?.data ?? {})
      .filter(isTrouble)
      .sort()
      .slice(0, -MAX_TROUBLES);
    if (old.length > 0) await this.write(Object.fromEntries(old.map((key) => [key, null])));
  }

  /** The entries that count, oldest first: those since the last rollback. */
  async entries(): Promise<readonly JournalEntry[]> {
    return currentEntries(await readJournal(this.kube, this.namespace));
  }

  run(): Promise<JournalRun | undefined> {
    return readJournalRun(this.kube, this.namespace);
  }

  /** The newest "done" entry of a step that counts, or undefined. */
  async done(step: string): Promise<JournalEntry | undefined> {
    return (await this.entries()).filter((entry) => entry.step === step && entry.beat === "done").at(-1);
  }
}

/** Pure: the entries after the last finished rollback. */
export function currentEntries(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const end = entries.findLastIndex((entry) => entry.step === ROLLBACK_END && entry.beat === "done");
  return entries.slice(end + 1);
}

/** All entries, those of before a rollback too, oldest first; an entry that is not readable is left out. */
export async function readJournal(kube: KubeClient, namespace: string): Promise<readonly JournalEntry[]> {
  return (await readJournalRun(kube, namespace))?.entries ?? [];
}

/** The entries with the id of their run; undefined while there is no journal. */
export async function readJournalRun(kube: KubeClient, namespace: string): Promise<JournalRun | undefined> {
  const map = await kube.find<ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/${JOURNAL_NAME}`);
  if (map === undefined) return undefined;
  const data = map.data ?? {};
  const entries = Object.keys(data)
    .sort()
    .flatMap((key) => parseEntry(data[key] ?? ""));
  const created = map.metadata?.creationTimestamp ?? "";
  const createdAt = typeof created === "string" ? created : created.toISOString();
  return { id: map.metadata?.uid ?? "", createdAt, entries };
}

function isTrouble(key: string): boolean {
  return /\.(failed|refused)$/.test(key);
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

function parseEntry(text: string): JournalEntry[] {
  try {
    const entry = JSON.parse(text) as JournalEntry;
    return typeof entry.step === "string" && typeof entry.time === "string" ? [entry] : [];
  } catch {
    return [];
  }
}
