import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { programDigest } from "../../components/evidence/programDigest";
import { PROJECT_ROOT } from "../../components/projectRoot";
import type { RecordedCall } from "./chooseFaults";
import { pathText, type MovePath } from "./movePath";
import type { NumberedRun } from "./summary";

/** What a run was made with; results of another are counted apart. */
export interface CampaignKey {
  /** Commit, "+changed" where the checkout differs from it, and the digest of what acts on a cluster. */
  readonly program: string;
  readonly keys: number;
  /** Absent: a plain migrate. */
  readonly path?: MovePath;
  readonly pairs: boolean;
  readonly smallVolumes: boolean;
}

/** One line of the file. */
interface StoredRun extends CampaignKey, NumberedRun {
  /** Of the run without a fault, from which the others choose. */
  readonly calls?: readonly RecordedCall[];
}

/** The results of all campaigns of one seed: a line a run, written as soon as it has ended. */
export class CampaignResults {
  private readonly stored: StoredRun[] = [];

  /** @param goOn keeps what is there; else it is set aside under its date, and nothing is thrown away */
  constructor(
    private readonly file: string,
    private readonly key: CampaignKey,
    goOn: boolean,
  ) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!existsSync(file)) return;
    if (goOn) this.stored.push(...readRuns(file));
    else
      renameSync(
        file,
        file.replace(/\.jsonl$/, `.${statSync(file).mtime.toISOString().replace(/[:.]/g, "-")}.jsonl`),
      );
  }

  /** The calls that the others choose from, of a run without a fault that held; undefined before one is there. */
  calls(): readonly RecordedCall[] | undefined {
    return this.own().find(({ run, result }) => run === 0 && result.failures.length === 0)?.calls;
  }

  has(run: number): boolean {
    return this.own().some((one) => one.run === run);
  }

  /** The faulted runs of this program, in their order. */
  faulted(): NumberedRun[] {
    return this.own().filter(({ run }) => run > 0);
  }

  /** One line for each other program and choice of options. */
  apart(): string[] {
    const others = this.stored.filter((one) => one.run > 0 && !this.isOwn(one));
    return [...new Set(others.map(keyText))].map((text) => {
      const runs = others.filter((one) => keyText(one) === text);
      const failed = runs.filter(({ result }) => result.failures.length > 0).length;
      return `counted apart, ${text}: ${runs.length} run(s), ${failed} failed`;
    });
  }

  add({ run, seconds, result }: NumberedRun): void {
    const { calls, ...kept } = result;
    const line: StoredRun = {
      ...this.key,
      ...{ run, seconds, result: { ...kept, calls: [] } },
      ...(run === 0 && { calls }),
    };
    // A run that was killed may have left half a line.
    const cut = existsSync(this.file) && !/(^|\n)$/.test(readFileSync(this.file, "utf8"));
    appendFileSync(this.file, `${cut ? "\n" : ""}${JSON.stringify(line)}\n`, { mode: 0o600 });
    this.stored.push(line);
  }

  private own(): StoredRun[] {
    return this.stored.filter((one) => this.isOwn(one)).sort((a, b) => a.run - b.run);
  }

  private isOwn(one: CampaignKey): boolean {
    return keyText(one) === keyText(this.key);
  }
}

/** Of this checkout. Without Git the digest of the program stands alone. */
export function programOf(root = PROJECT_ROOT): string {
  const digest = programDigest().slice(0, 12);
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain") === "" ? "" : "+changed";
    return `${git("rev-parse", "--short=12", "HEAD")}${changed} ${digest}`;
  } catch {
    return `no-commit ${digest}`;
  }
}

function keyText({ program, keys, path, pairs, smallVolumes }: CampaignKey): string {
  return `program ${program}, ${keys} keys${path === undefined ? "" : pathText(path)}${pairs ? ", pairs" : ""}${smallVolumes ? ", small volumes" : ""}`;
}

function readRuns(file: string): StoredRun[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((text) => {
      try {
        const one = JSON.parse(text) as StoredRun;
        return typeof one.run === "number" && Array.isArray(one.result?.failures) ? [one] : [];
      } catch {
        return [];
      }
    });
}
