import { writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { git } from "../../components/land/git";
import { ensureTools, toolPath } from "../tools/tools";
import { ageIdentity } from "./ageIdentity";

/** Where the rehearsed platform keeps the key Secret's encrypted copy. */
export const KEY_FILE = "k8s/bases/infrastructure/controllers/openbao/unseal.sops.yaml";

/**
 * Gives the rehearsed platform SOPS as users have it: creation rules in its checkout, an age identity of its own in a
 * file of the run folder (0600), and sops on PATH.
 * @returns the file for git.keySecret.
 */
export async function useSops(
  checkout: string,
  runDir: string,
  log: (line: string) => void,
): Promise<string> {
  await ensureTools(log, ["sops"]);
  process.env["PATH"] = [dirname(toolPath("sops")), process.env["PATH"] ?? ""].join(delimiter);
  const { identity, recipient } = ageIdentity();
  const file = join(runDir, "age-identity");
  writeFileSync(file, `${identity}\n`, { mode: 0o600 });
  process.env["SOPS_AGE_KEY_FILE"] = file;
  const rule = ["path_regex: \\.sops\\.yaml$", "encrypted_regex: ^(data|stringData)$", `age: ${recipient}`];
  writeFileSync(join(checkout, ".sops.yaml"), `creation_rules:\n  - ${rule.join("\n    ")}\n`);
  await git(checkout, "add", "--", ".sops.yaml");
  const who = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"];
  await git(checkout, ...who, "commit", "--quiet", "--message=Encrypt Secrets by SOPS");
  return KEY_FILE;
}
