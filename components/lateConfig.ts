import { z } from "zod";
import type { CARRIES } from "./carryConfig";

/** Config key `cleanup`: what is removed after stage land. */
export const cleanupSchema = z.strictObject({
  fileData: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a DNS-1123 label: lower case letters, digits and "-"')
    .describe("name of the PersistentVolumeClaim whose kept file storage is removed"),
});

interface LateKeys {
  readonly stage: string;
  readonly carry: (typeof CARRIES)[number];
  readonly release: string;
  readonly rollback: boolean;
  readonly cleanup?: z.infer<typeof cleanupSchema> | undefined;
}

interface Fault {
  readonly key: string;
  readonly found: string;
  readonly expected: string;
  readonly fix: string;
}

/** Faults of the keys that take something back or away; `key` is below the project's prefix. */
export function lateFaults(config: LateKeys): Fault[] {
  return [...rollbackFaults(config), ...cleanupFaults(config)];
}

/** Only migrate leaves the file storage whole at the volume's root, with the key that opens it in the key Secret. */
function rollbackFaults({ rollback, carry }: LateKeys): Fault[] {
  if (!rollback || carry === "migrate") return [];
  return [
    {
      key: "rollback",
      found: `true, with carry ${carry}`,
      expected: "false: a rollback goes back to the file storage that carry migrate has kept [F67]",
      fix: `pulumi config set openbao-migration:rollback false; the way back by hand is in docs/carry.md`,
    },
  ];
}

function cleanupFaults({ stage, carry, rollback, cleanup, release }: LateKeys): Fault[] {
  if (cleanup === undefined) return [];
  const key = "cleanup";
  const fix = "pulumi config rm openbao-migration:cleanup";
  const claim = `data-${release}-0`;
  const faults: Fault[] = [];
  if (carry !== "migrate") {
    faults.push({
      key,
      found: `cleanup with carry ${carry}`,
      expected: "nothing: it removes the file storage that carry migrate has kept",
      fix,
    });
  }
  if (rollback)
    faults.push({ key, found: "cleanup together with rollback", expected: "one of the two", fix });
  if (stage !== "land")
    faults.push({ key, found: `cleanup at stage ${stage}`, expected: "stage land first", fix });
  if (cleanup.fileData !== claim) {
    faults.push({
      key: `${key}.fileData`,
      found: JSON.stringify(cleanup.fileData),
      expected: `${claim}, the volume that keeps the file storage`,
      fix,
    });
  }
  return faults;
}
