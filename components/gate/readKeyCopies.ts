import { execFile } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { at } from "./fields";

const run = promisify(execFile);
const MAX_BYTES = 1_000_000;

/** A file of the checkout that holds a Secret of the key Secret's name; never its content. */
export interface KeyCopy {
  readonly path: string;
  readonly state: "same" | "differs" | "encrypted" | "without-key";
}

export interface KeyCopySearch {
  readonly checkout: string;
  readonly secretName: string;
  readonly unsealKey: string;
  /** The key Secret as it lives in the cluster. */
  readonly live: unknown;
  readonly timeoutMs: number;
  /** A file that another check decrypts and compares. @default none */
  readonly judgedApart?: string;
}

/**
 * Finds the tracked YAML files that hold the key Secret, and compares keys by a digest under a key that is thrown away
 * (hazard H6). @throws Error when git cannot run, or the folder is no repository.
 */
export async function readKeyCopies(search: KeyCopySearch): Promise<readonly KeyCopy[]> {
  const folder = resolve(search.checkout);
  const words = ["grep", "-l", "-z", "-I", "-F", "-e", search.secretName, "--", "*.yaml", "*.yml"];
  const paths = await tracked(folder, words, search.timeoutMs);
  const key = randomBytes(32);
  const digest = (text: string) => createHmac("sha256", key).update(text.trim()).digest("hex");
  const live = at(search.live, "data", search.unsealKey);
  const wanted = typeof live === "string" ? digest(Buffer.from(live, "base64").toString("utf8")) : undefined;
  const found = await Promise.all(
    paths
      .filter((path) => search.judgedApart === undefined || path !== normalize(search.judgedApart))
      .slice(0, 200)
      .map(async (path) => {
        const text = await plainFile(join(folder, path));
        return documentsOf(text)
          .filter((one) => at(one, "kind") === "Secret" && at(one, "metadata", "name") === search.secretName)
          .map((one): KeyCopy => {
            if (at(one, "sops") !== undefined) return { path, state: "encrypted" };
            const held = heldText(one, search.unsealKey);
            if (held === undefined) return { path, state: "without-key" };
            return { path, state: digest(held) === wanted ? "same" : "differs" };
          });
      }),
  );
  return found.flat();
}

async function tracked(folder: string, words: readonly string[], timeout: number): Promise<string[]> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" };
  try {
    const { stdout } = await run("git", ["-C", folder, ...words], { env, timeout, maxBuffer: 8 << 20 });
    return stdout.split("\0").filter((path) => path !== "");
  } catch (error) {
    // `git grep` ends with 1 when nothing matches.
    if ((error as { code?: unknown }).code === 1) return [];
    throw error;
  }
}

/** Links are not followed: they could lead out of the checkout. */
async function plainFile(path: string): Promise<string> {
  const stat = await lstat(path).catch(() => undefined);
  return stat?.isFile() === true && stat.size <= MAX_BYTES ? await readFile(path, "utf8") : "";
}

function documentsOf(text: string): unknown[] {
  try {
    const parsed = parseAllDocuments(text);
    return (Array.isArray(parsed) ? parsed : []).map((one) => one.toJS({ maxAliasCount: 100 }) as unknown);
  } catch {
    return [];
  }
}

function heldText(secret: unknown, key: string): string | undefined {
  const plain = at(secret, "stringData", key);
  if (typeof plain === "string") return plain;
  const encoded = at(secret, "data", key);
  return typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : undefined;
}
