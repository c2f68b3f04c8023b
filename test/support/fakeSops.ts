import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export const RECIPIENT = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq";

/** The creation rules that the fake's recipient is in. */
export const RULES = `creation_rules:
  - path_regex: .*\\.ya?ml$
    encrypted_regex: ^(data|stringData)$
    age: ${RECIPIENT}
`;

/** How the fake misbehaves: each is what a wrong rule, or a wrong program on PATH, would give. */
export type SopsFault = "leaves-open" | "stranger" | "no-mac" | "encrypts-all" | "quotes-input";

/**
 * sops' `encrypt` and `decrypt` as far as the program calls them: real ciphertext under a key of the fake's own, in the
 * layout of SOPS. It notes its arguments and environment, and decrypts only where SOPS_AGE_KEY_FILE names its identity.
 */
const PROGRAM = `#!/usr/bin/env node
const { createCipheriv, createDecipheriv, createHash, randomBytes } = require("node:crypto");
const fs = require("node:fs");
const { join } = require("node:path");
const here = __dirname;
const key = createHash("sha256").update(here).digest();
const seen = { argv: process.argv.slice(2), cmdline: fs.readFileSync("/proc/self/cmdline", "latin1"), environ: fs.readFileSync("/proc/self/environ", "latin1") };
fs.appendFileSync(join(here, "calls"), JSON.stringify(seen) + "\\n");
const fault = fs.existsSync(join(here, "fault")) ? fs.readFileSync(join(here, "fault"), "utf8") : "";
const input = fs.readFileSync(0, "utf8");
const enc = (text) => {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const data = Buffer.concat([cipher.update(String(text)), cipher.final()]).toString("base64");
  return "ENC[AES256_GCM,data:" + data + ",iv:" + iv.toString("base64") + ",tag:" + cipher.getAuthTag().toString("base64") + ",type:str]";
};
const dec = (text) => {
  const [, data, iv, tag] = /data:([^,]*),iv:([^,]*),tag:([^,]*),/.exec(text);
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"));
  decipher.setAuthTag(Buffer.from(tag, "base64"));
  return decipher.update(Buffer.from(data, "base64")).toString() + decipher.final().toString();
};
const die = (code, words) => { process.stderr.write(words + "\\n"); process.exit(code); };
const each = (object, change) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
if (process.argv.includes("encrypt")) {
  const object = JSON.parse(input);
  if (fault === "quotes-input") die(1, "cannot read " + Object.values(object.stringData ?? object.data).join(" "));
  for (const part of ["data", "stringData"]) if (object[part] && fault !== "leaves-open") object[part] = each(object[part], enc);
  if (fault === "encrypts-all") object.kind = enc(object.kind);
  object.sops = {
    age: [{ recipient: fault === "stranger" ? "age1strangerstrangerstrangerstranger" : RECIPIENT, enc: "-----BEGIN AGE ENCRYPTED FILE-----\\nx\\n-----END AGE ENCRYPTED FILE-----\\n" }],
    lastmodified: "2026-11-20T08:00:00Z",
    ...(fault === "no-mac" ? {} : { mac: enc("mac") }),
    encrypted_regex: "^(data|stringData)$",
    version: "3.11.0",
  };
  // JSON is YAML, and a YAML library would take half a second to load.
  process.stdout.write(JSON.stringify(object, null, 2) + "\\n");
} else {
  if (process.env.SOPS_AGE_KEY_FILE !== join(here, "identity")) die(128, "Failed to get the data key");
  const { sops, ...object } = JSON.parse(input);
  for (const part of ["data", "stringData"]) if (object[part]) object[part] = each(object[part], dec);
  process.stdout.write(JSON.stringify(object));
}
`;

/** A fake sops in a folder of its own that goes first on PATH until `remove`. */
export class FakeSops {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-sops-"));
  private readonly before = {
    PATH: process.env["PATH"],
    SOPS_AGE_KEY_FILE: process.env["SOPS_AGE_KEY_FILE"],
  };

  constructor() {
    const text = PROGRAM.replace(": RECIPIENT,", `: ${JSON.stringify(RECIPIENT)},`);
    writeFileSync(join(this.folder, "sops"), text);
    chmodSync(join(this.folder, "sops"), 0o755);
    process.env["PATH"] = `${this.folder}${delimiter}${this.before.PATH ?? ""}`;
    this.holdIdentity(true);
  }

  /** Whether this user can decrypt. */
  holdIdentity(held: boolean): void {
    if (held) process.env["SOPS_AGE_KEY_FILE"] = join(this.folder, "identity");
    else delete process.env["SOPS_AGE_KEY_FILE"];
  }

  misbehave(fault: SopsFault): void {
    writeFileSync(join(this.folder, "fault"), fault);
  }

  /** Arguments, command line and environment of each call, as text. */
  calls(): { argv: string[]; cmdline: string; environ: string }[] {
    const file = join(this.folder, "calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as { argv: string[]; cmdline: string; environ: string });
  }

  remove(): void {
    for (const [name, value] of Object.entries(this.before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
