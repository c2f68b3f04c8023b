import { spawn } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { refusal, type LandRefusal } from "./landRefusal";

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 4 << 20;
/** Exit code of sops when none of the identities at hand opens the file's data key. */
const NO_IDENTITY = 128;
/** Where sops finds the user's own age identity. All its other variables would put other recipients or rules first. */
const IDENTITY = /^SOPS_(AGE_(KEY|KEY_FILE|KEY_CMD|SSH_PRIVATE_KEY_FILE|SSH_PRIVATE_KEY_CMD)|GPG_EXEC)$/;

/** A file inside a Git checkout. */
export interface SopsTarget {
  /** Absolute path of the checkout. */
  readonly checkout: string;
  readonly file: string;
}

/**
 * The `.sops.yaml` whose creation rules hold for the file: the nearest one above it, never one outside the checkout.
 * @throws LandRefusal when there is none.
 */
export function ruleFile({ checkout, file }: SopsTarget): string {
  for (let folder = dirname(normalize(file)); ; folder = dirname(folder)) {
    const path = join(checkout, folder, ".sops.yaml");
    if (existsSync(path)) {
      if (lstatSync(path).isFile()) return path;
      throw refusal(path, "a link or a folder", "a plain file", "put the rules there");
    }
    if (folder === ".") break;
  }
  throw refusal(
    file,
    "no .sops.yaml in the checkout on the way up",
    "creation rules with an age recipient",
    "add one: creation_rules, path_regex, encrypted_regex ^(data|stringData)$, age",
  );
}

/**
 * Encrypts an object as YAML by the checkout's own rules. The plaintext goes to standard input and nowhere else.
 * @throws LandRefusal with the words of sops.
 */
export async function encryptObject(target: SopsTarget, object: object): Promise<string> {
  const name = join(target.checkout, target.file);
  const args = ["--config", ruleFile(target), "encrypt", "--input-type", "json", "--output-type", "yaml"];
  const { code, stdout, said } = await sops([...args, "--filename-override", name], JSON.stringify(object));
  if (code !== 0) throw refused(target.file, `sops encrypt ended with ${code} (${said})`);
  return stdout;
}

/**
 * Decrypts an encrypted YAML file into memory.
 * @returns undefined when this user holds no identity that opens it.
 * @throws LandRefusal for a file that is broken: its authentication code is checked.
 */
export async function decryptObject(file: string, text: string): Promise<unknown> {
  const args = ["decrypt", "--input-type", "yaml", "--output-type", "json"];
  const { code, stdout, said } = await sops(args, text, true);
  if (code === NO_IDENTITY) return undefined;
  if (code !== 0) throw refused(file, `sops decrypt ended with ${code} (${said})`);
  return JSON.parse(stdout) as unknown;
}

interface Answer {
  readonly code: number;
  readonly stdout: string;
  /** One line of its words, none of which is from the input. */
  readonly said: string;
}

function sops(args: readonly string[], input: string, withIdentity = false): Promise<Answer> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !key.startsWith("SOPS_") || (withIdentity && IDENTITY.test(key)),
    ),
  );
  return new Promise((resolve, reject) => {
    const child = spawn("sops", args, { env, stdio: ["pipe", "pipe", "pipe"], timeout: TIMEOUT_MS });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < MAX_BYTES) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < MAX_BYTES) stderr += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const found =
        error.code === "ENOENT" ? "no such program on PATH" : `no way to start it (${error.code})`;
      reject(refusal("sops", found, "sops 3.10 or newer", "install it and put it on PATH"));
    });
    child.on("close", (code, signal) => {
      if (signal !== null)
        reject(refusal("sops", `no end within ${TIMEOUT_MS / 1000} s`, "an answer", "run it by hand"));
      else resolve({ code: code ?? -1, stdout, said: wordsOf(stderr, input) });
    });
    // A sops that ends before it has read all says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** A parser's message may quote what it failed on. */
function wordsOf(stderr: string, input: string): string {
  const line = stderr
    .split("\n")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .join(" / ")
    .slice(0, 300);
  const values = input.match(/[^\s"':,{}[\]]{8,}/g) ?? [];
  return values.some((value) => line.includes(value) && !/^[a-z-]+$/i.test(value))
    ? "its words repeat the input and are left out"
    : line || "it gave no reason";
}

function refused(file: string, found: string): LandRefusal {
  return refusal(file, found, "a file that sops takes", "look at the rules in .sops.yaml, then run again");
}
