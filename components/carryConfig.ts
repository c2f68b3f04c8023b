import { z } from "zod";
import type { ConfigFinding } from "../config";
import { rule } from "./configRule";

/** How the data goes over to Raft (design.md, the data paths). */
export const CARRIES = ["migrate", "restore", "reseed", "none"] as const;

const line = z.string().min(1).max(500);
const jobName = z
  .string()
  .max(52)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "the name of a CronJob or Job");

/** Config key `snapshot`: for carry restore and none. */
export const snapshotSchema = z.strictObject({
  file: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0\n\r]+$/, "a path without line breaks")
    .describe("path of the Raft snapshot on this machine; what the program writes there has mode 0600"),
  from: z
    .enum(["source", "file"])
    .default("source")
    .describe("source: taken from the running Raft source; file: it lies at the path already"),
  maxAgeHours: z
    .number()
    .min(0.1)
    .max(8760)
    .default(24)
    .describe("oldest snapshot that is taken for the truth, in hours"),
});

/** Config key `reseed`: for carry reseed. */
export const reseedSchema = z.strictObject({
  jobs: z
    .array(
      z.strictObject({
        kind: z.enum(["CronJob", "Job"]).default("CronJob").describe("kind of the template"),
        name: jobName.describe("name of the CronJob or Job in OpenBao's namespace that is run"),
        rebuilds: z
          .array(line)
          .max(100)
          .default([])
          .describe("path prefixes (mount/path) that it makes anew"),
      }),
    )
    .max(20)
    .default([])
    .describe("Jobs that fill the new store, run one after the other"),
  discard: z
    .array(line)
    .max(100)
    .default([])
    .describe("path prefixes whose content is given up, each named: nothing makes it anew"),
});

/** What does not fit between `carry` and the keys that belong to it; `key` is below the project's prefix. */
export const CARRY_RULES = [
  rule(["carry", "snapshot"], ({ carry, snapshot }) => {
    const wantsSnapshot = carry === "restore" || carry === "none";
    if (!wantsSnapshot) return snapshot === undefined ? [] : [unused("snapshot", carry, "restore or none")];
    if (snapshot === undefined) {
      return [
        {
          key: "snapshot",
          found: "nothing",
          expected: `the file of the snapshot, since carry is ${carry}`,
          fix: "pulumi config set --path 'openbao-migration:snapshot.file' FILE",
        },
      ];
    }
    if (carry === "restore" || snapshot.from === "source") return [];
    return [
      {
        key: "snapshot.from",
        found: '"file"',
        expected: '"source", since carry none keeps the running store and takes the snapshot as its backup',
        fix: "pulumi config set --path 'openbao-migration:snapshot.from' source",
      },
    ];
  }),
  rule(["carry", "reseed"], ({ carry, reseed }) => {
    if (carry !== "reseed") return reseed === undefined ? [] : [unused("reseed", carry, "reseed")];
    if (reseed !== undefined && reseed.jobs.length + reseed.discard.length > 0) return [];
    return [
      {
        key: "reseed",
        found: "nothing",
        expected: "the Jobs that fill the new store, or the paths that are given up, since carry is reseed",
        fix: "pulumi config set --path 'openbao-migration:reseed.jobs[0].name' CRONJOB",
      },
    ];
  }),
];

function unused(key: string, carry: string, fits: string): ConfigFinding {
  return {
    key,
    found: `a value, with carry ${carry}`,
    expected: `nothing: it belongs to carry ${fits}`,
    fix: `remove it, or set 'openbao-migration:carry'`,
  };
}
