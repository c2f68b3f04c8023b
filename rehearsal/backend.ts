import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Backends that keep their state in plain objects. */
const SCHEMES = ["file:", "s3:", "gs:", "azblob:"];
const EXPECTED =
  "file:///FOLDER with an absolute path, or s3://, gs:// or azblob:// with a bucket, and no credentials in it";
const PASSPHRASES = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"] as const;

/** Pure: what is wrong with the URL of a backend, or undefined. A password in it is not repeated. */
export function backendFault(text: string): string | undefined {
  if (!/^[\x21-\x7e]{1,2000}$/.test(text) || !URL.canParse(text)) return `expected ${EXPECTED}`;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return `found credentials; expected ${EXPECTED}`;
  const place = url.protocol === "file:" ? url.host === "" && url.pathname.length > 1 : url.host !== "";
  // "file:x" and "file:/x" parse too, and Pulumi takes them for other things.
  const whole = text.startsWith(`${url.protocol}//`);
  return SCHEMES.includes(url.protocol) && place && whole ? undefined : `expected ${EXPECTED}`;
}

/**
 * Where the rehearsal's stack is kept, as Pulumi reads it from the environment. Without `backend` it is a folder of this
 * run, with a passphrase of its own.
 * @throws Error when a backend is named and no passphrase: production opens the stack's state with its own.
 */
export function backendEnv(
  runDir: string,
  backend: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  if (backend !== undefined) {
    if (PASSPHRASES.every((name) => environment[name] === undefined)) {
      throw new Error(
        `--backend: found neither ${PASSPHRASES.join(" nor ")} in the environment, expected one of them as it is set for the production stack, which opens the state of this one to read its evidence`,
      );
    }
    const file = environment[PASSPHRASES[1]];
    // Pulumi runs in another folder.
    const whole = file !== undefined && !file.startsWith("~") && { [PASSPHRASES[1]]: resolve(file) };
    return { PULUMI_BACKEND_URL: backend, ...whole };
  }
  const state = join(runDir, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const passphrase = join(runDir, "passphrase");
  if (!existsSync(passphrase))
    writeFileSync(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
}

/** What to do about a stack that is there already: its state is of another cluster, and is never removed from here. */
export function stackIsThere(name: string, backend: string): string {
  return (
    `stack "${name}" is in ${backend} already. Its state says that an earlier rehearsal's steps are done, so that they would not run ` +
    `here; expected a backend without it. Keep it under another name: pulumi stack rename ${name}-old --stack ${name}; ` +
    `or let it go with its evidence: pulumi stack rm ${name} --force (both in this checkout, with PULUMI_BACKEND_URL set)`
  );
}

/** Pure: the names in the answer of `pulumi stack ls --json`. @throws Error for another answer */
export function stackNames(output: string): string[] {
  // A warning of the CLI may stand before it.
  const start = output.search(/^\[/m);
  const list: unknown = start < 0 ? undefined : JSON.parse(output.slice(start));
  if (!Array.isArray(list)) throw new Error("pulumi stack ls gave no list");
  return list.map((one: { name?: unknown }) => String(one.name).split("/").at(-1) ?? "");
}
