import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Between what the fake notes of its calls: in no argument and no variable. */
const MARK = "\u0001";

/** The program of fakeSops.sh in a folder of its own that goes first on PATH until `remove`. */
export class FakeSops {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-sops-"));
  private readonly before = {
    PATH: process.env["PATH"],
    SOPS_AGE_KEY_FILE: process.env["SOPS_AGE_KEY_FILE"],
  };

  constructor() {
    const text = readFileSync(join(__dirname, "fakeSops.sh"), "utf8").replace("RECIPIENT", RECIPIENT);
    writeFileSync(join(this.folder, "sops"), text, { mode: 0o755 });
    writeFileSync(join(this.folder, "mark"), MARK);
    process.env["PATH"] = `${this.folder}${delimiter}${this.before.PATH ?? ""}`;
    this.holdIdentity(true);
  }

  /** Whether this user can decrypt. */
  holdIdentity(held: boolean): void {
    if (held) process.env["SOPS_AGE_KEY_FILE"] = join(this.folder, "identity");
    else delete process.env["SOPS_AGE_KEY_FILE"];
  }

  misbehave(fault: SopsFault): void {
    writeFileSync(join(this.folder, "fault"), `${fault}\n`);
  }

  /** Arguments, command line and environment of each call, as text. */
  calls(): { argv: string[]; cmdline: string; environ: string }[] {
    const file = join(this.folder, "calls");
    if (!existsSync(file)) return [];
    const noted = readFileSync(file, "latin1").split(MARK);
    return noted.slice(0, -1).flatMap((cmdline, at) => {
      if (at % 2 !== 0) return [];
      // Before them stand the shell and the script.
      const argv = cmdline.split("\0").slice(2, -1);
      return [{ argv, cmdline, environ: noted[at + 1] ?? "" }];
    });
  }

  remove(): void {
    for (const [name, value] of Object.entries(this.before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
