import { z } from "zod";
import type { ConfigFinding } from "../config";
import { rule } from "./configRule";

/** Config key `cleanup`: what is removed after stage land. */
export const cleanupSchema = z.strictObject({
  fileData: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a DNS-1123 label: lower case letters, digits and "-"')
    .describe("name of the PersistentVolumeClaim whose kept file storage is removed"),
});

/** Faults of the keys that take something back or away; `key` is below the project's prefix. */
export const LATE_RULES = [
  // Only migrate leaves the file storage whole at the volume's root, with the key that opens it in the key Secret.
  rule(["rollback", "carry"], ({ rollback, carry }) =>
    !rollback || carry === "migrate"
      ? []
      : [
          {
            key: "rollback",
            found: `true, with carry ${carry}`,
            expected: "false: a rollback goes back to the file storage that carry migrate has kept [F67]",
            fix: `pulumi config set openbao-migration:rollback false; the way back by hand is in docs/carry.md`,
          },
        ],
  ),
  rule(["cleanup", "carry"], ({ cleanup, carry }) =>
    cleanup === undefined || carry === "migrate"
      ? []
      : [
          noCleanup(
            `cleanup with carry ${carry}`,
            "nothing: it removes the file storage that carry migrate has kept",
          ),
        ],
  ),
  rule(["cleanup", "rollback"], ({ cleanup, rollback }) =>
    cleanup !== undefined && rollback ? [noCleanup("cleanup together with rollback", "one of the two")] : [],
  ),
  rule(["cleanup", "stage"], ({ cleanup, stage }) =>
    cleanup === undefined || stage === "land"
      ? []
      : [noCleanup(`cleanup at stage ${stage}`, "stage land first")],
  ),
  rule(["cleanup", "release"], ({ cleanup, release }) => {
    const claim = `data-${release}-0`;
    if (cleanup === undefined || cleanup.fileData === claim) return [];
    const wanted = noCleanup(
      JSON.stringify(cleanup.fileData),
      `${claim}, the volume that keeps the file storage`,
    );
    return [{ ...wanted, key: "cleanup.fileData" }];
  }),
];

function noCleanup(found: string, expected: string): ConfigFinding {
  return { key: "cleanup", found, expected, fix: "pulumi config rm openbao-migration:cleanup" };
}
