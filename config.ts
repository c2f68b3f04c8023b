import { allConfig } from "@pulumi/pulumi/runtime/config"; // The whole package is 700 modules, in steps too.
import { z } from "zod";
import { CARRIES, CARRY_RULES, reseedSchema, snapshotSchema } from "./components/carryConfig";
import { knownKeys, pathOf } from "./components/configPath";
import { cleanupSchema, LATE_RULES } from "./components/lateConfig";
import { DELIVERIES } from "./components/delivery/releaseReader";
import { DELIVERY_RULES } from "./components/delivery/deliveryFaults";
import {
  alertsSchema,
  externalSecretSchema,
  TALOS_RULE,
  talosSchema,
  tlsSchema,
} from "./components/platformConfig";
import { raftKeys } from "./components/raftKeys";

/** The Pulumi project's name, and so the prefix of each config key. */
export const PROJECT = "openbao-migration";

/** The stages in their order; `stage` names the furthest one to reach (design.md). */
export const STAGES = ["network", "backup", "cutover", "replicas", "verify", "land"] as const;
export type Stage = (typeof STAGES)[number];

/** True when `stage` lies at or before `furthest`. */
export function reaches(furthest: Stage, stage: Stage): boolean {
  return STAGES.indexOf(stage) <= STAGES.indexOf(furthest);
}

const dns1123 = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a DNS-1123 label: lower case letters, digits and "-"');
const secretKey = z
  .string()
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/, 'a Secret key: letters, digits, "-", "_" and "."');
const relativePath = z
  .string()
  .max(1024)
  .regex(/^[^\0\n\r]+$/, "a path without line breaks")
  .refine((path) => !path.startsWith("/") && !path.startsWith("-") && !path.split("/").includes(".."), {
    message: 'a path inside the checkout, without ".."',
  });
const line = z.string().min(1).max(500);

const waiver = z.strictObject({
  check: z.string().max(100).describe("id of the check that is waived"),
  reason: line.describe("why, for the reviewer"),
  expires: z.iso.date().describe("last day on which the waiver holds, as YYYY-MM-DD"),
});

const keySecret = z.strictObject({
  name: dns1123.default("openbao-unseal").describe("name of the Secret"),
  unsealKey: secretKey.default("unseal-key").describe("its key that holds the unseal key"),
  rootToken: secretKey.default("root-token").describe("its key that holds a token with root rights"),
});

const git = z.strictObject({
  checkout: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0\n\r]+$/, "a path without line breaks")
    .describe("folder of the platform's Git checkout; relative to the project, or absolute"),
  branch: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9][-A-Za-z0-9._/]*$/, 'letters, digits, ".", "_", "/" and "-"')
    .refine(
      (name) => !name.includes("..") && !name.endsWith("/") && !name.endsWith(".lock"),
      "a Git branch name",
    )
    .default("openbao-raft")
    .describe("branch that gets the commits"),
  helmRelease: relativePath.optional().describe("file of the HelmRelease, inside the checkout"),
  values: relativePath.optional().describe("file of Helm values, inside the checkout; with delivery helm"),
  variables: relativePath.optional().describe("file of the variables ConfigMap, inside the checkout"),
  replicasVariable: secretKey
    .default("openbao_replicas")
    .describe("key in the variables ConfigMap that holds the replica count"),
  talosPatch: relativePath
    .optional()
    .describe("file of Talos machine config patches, inside the checkout; needs talos"),
  networkPolicy: relativePath
    .optional()
    .describe("file that gets the policies openbao-raft, inside the checkout; made where it is not there"),
  replicaFloor: relativePath.optional().describe("file of the Kyverno policy with OpenBao's exemption"),
  keySecret: relativePath
    .regex(/\.ya?ml$/, "a file that ends in .yaml or .yml")
    .optional()
    .describe("file of the key Secret, encrypted by SOPS with age, inside the checkout"),
  push: z.boolean().default(false).describe("push the branch to the remote origin, never by force"),
});

const inventory = z.strictObject({
  volatile: z
    .array(line)
    .max(100)
    .default([])
    .describe("path prefixes (mount/path) whose entries clients delete or rewrite without a version"),
});

const rehearsal = z
  .strictObject({
    throwAway: z
      .boolean()
      .default(false)
      .describe("this stack is the rehearsal: its cluster can be thrown away, and says so by a label"),
    stack: z
      .string()
      .max(300)
      .regex(
        /^[A-Za-z0-9_][-A-Za-z0-9_.]*(?:\/[A-Za-z0-9_][-A-Za-z0-9_.]*){0,2}$/,
        "a stack: NAME or ORG/PROJECT/NAME",
      )
      .optional()
      .describe("stack that rehearsed this plan, such as organization/openbao-migration/dev"),
    maxAgeHours: z
      .number()
      .int()
      .min(1)
      .max(8760)
      .default(168)
      .describe("how old the rehearsal of a stage may be, in hours"),
  })
  .refine(({ stack, throwAway }) => !throwAway || stack === undefined, {
    path: ["throwAway"],
    message: 'false beside "rehearsal.stack": a stack is the rehearsal, or asks for one',
  });

/** The whole config, one key a member; unknown keys are errors so that a typo surfaces. */
export const configSchema = z.strictObject({
  stage: z.enum(STAGES).describe("the furthest stage to reach"),
  carry: z.enum(CARRIES).default("migrate").describe("how the data goes over to Raft"),
  snapshot: snapshotSchema.optional().describe("the Raft snapshot of carry restore and none"),
  reseed: reseedSchema.optional().describe("what fills the new store of carry reseed"),
  delivery: z.enum(DELIVERIES).default("flux").describe("who applies the chart: Flux, or Helm itself"),
  context: z.string().min(1).max(500).optional().describe("context of the kubeconfig"),
  namespace: dns1123.default("openbao").describe("namespace of OpenBao"),
  release: dns1123.default("openbao").describe("name of the release, and of the StatefulSet it renders"),
  ...raftKeys,
  keySecret: keySecret.prefault({}).describe("where the unseal key and the root token are kept"),
  git: git.optional().describe("the Git checkout that stage land writes"),
  talos: talosSchema.optional().describe("Talos' ingress firewall, where it blocks by default"),
  tls: tlsSchema.optional().describe("how a listener with TLS is trusted; needed for one"),
  externalSecrets: z
    .array(externalSecretSchema)
    .max(50)
    .default([])
    .describe("ExternalSecrets that stage verify makes read again"),
  alerts: alertsSchema.prefault({}).describe("the PrometheusRule of stage verify"),
  rollback: z
    .boolean()
    .default(false)
    .describe("go back to the standalone server on the file storage, in place of going on"),
  cleanup: cleanupSchema.optional().describe("what to remove after stage land, by its exact name"),
  inventory: inventory.prefault({}).describe("how the content comparison treats live changes"),
  rehearsal: rehearsal.prefault({}).describe("whose evidence the gate asks for"),
  podTimeoutSeconds: z
    .number()
    .int()
    .min(10)
    .max(3600)
    .default(300)
    .describe("bound of each wait for a pod, in seconds"),
  copyTimeoutSeconds: z
    .number()
    .int()
    .min(30)
    .max(86400)
    .default(3600)
    .describe("bound of the migrate Job, in seconds"),
  waivers: z
    .array(waiver)
    .max(100)
    .default([])
    .describe("checks that are waived, each with a reason and an expiry"),
});

export type MigrationConfig = z.infer<typeof configSchema>;

/** One thing wrong with the config, in the words of the report. */
export interface ConfigFinding {
  readonly key: string;
  readonly found: string;
  readonly expected: string;
  readonly fix: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: MigrationConfig }
  | {
      readonly ok: false;
      readonly findings: readonly ConfigFinding[];
      readonly raw: Readonly<Record<string, unknown>>;
    };

const RULES = [TALOS_RULE, ...LATE_RULES, ...CARRY_RULES, ...DELIVERY_RULES];

/** Pure: checks plain values, and gives every fault at once. */
export function parseConfig(raw: Readonly<Record<string, unknown>>): ConfigResult {
  const parsed = configSchema.safeParse(raw);
  const issues = parsed.success ? [] : parsed.error.issues;
  const broken = new Set(issues.map((issue) => String(issue.path[0])));
  const sound = parsed.success ? parsed.data : soundKeys(raw, broken);
  const faults = RULES.filter((rule) => rule.reads.every((key) => !broken.has(key))).flatMap((rule) =>
    rule.faults(sound),
  );
  const findings = [
    ...issues.flatMap((issue) => findingsOf(issue, raw)),
    ...faults.map((fault) => ({ ...fault, key: `${PROJECT}:${fault.key}` })),
  ];
  if (parsed.success && findings.length === 0) return { ok: true, config: parsed.data };
  return { ok: false, findings, raw };
}

/** The keys without a finding of their own, with defaults: one broken key hides no fault between others. */
function soundKeys(
  raw: Readonly<Record<string, unknown>>,
  broken: ReadonlySet<string>,
): Partial<MigrationConfig> {
  const sound = Object.entries(configSchema.shape).filter(([key]) => !broken.has(key));
  return Object.fromEntries(sound.map(([key, schema]) => [key, schema.parse(raw[key])]));
}

/** Reads this stack's config. Values of nested keys arrive as JSON text. */
export function readConfig(): ConfigResult {
  return parseConfig(plainConfig(allConfig()));
}

/** The empty defaults of Pulumi.yaml, which Pulumi fills in where a key without a default of its own is not set. */
const NOT_SET: Readonly<Record<string, string>> = {
  stage: "",
  context: "",
  git: "{}",
  talos: "{}",
  tls: "{}",
  cleanup: "{}",
  snapshot: "{}",
  reseed: "{}",
};

/** This project's keys as plain values. */
export function plainConfig(all: Readonly<Record<string, string>>): Record<string, unknown> {
  const prefix = `${PROJECT}:`;
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) {
    const name = key.slice(prefix.length);
    if (key.startsWith(prefix) && value !== NOT_SET[name]) raw[name] = plain(value);
  }
  return raw;
}

/** Pulumi stores every value as text: `3` and `true` are YAML scalars, objects are JSON. */
function plain(text: string): unknown {
  if (!/^(?:[[{]|true$|false$|-?\d+(?:\.\d+)?$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function findingsOf(issue: z.core.$ZodIssue, raw: unknown): ConfigFinding[] {
  const at = issue.path;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      key: `${PROJECT}:${pathOf([...at, key])}`,
      found: "an unknown key",
      expected: `one of: ${knownKeys(configSchema, at).join(", ")}`,
      fix: "correct its spelling, or remove it",
    }));
  }
  const value = at.reduce<unknown>(
    (node, part) => (node as Record<PropertyKey, unknown> | undefined)?.[part],
    raw,
  );
  const key = `${PROJECT}:${pathOf(at)}`;
  return [
    {
      key,
      found: shown(value),
      expected: issue.message.replace(/^Invalid (input|option): expected /, ""),
      fix: `pulumi config set ${at.length > 1 ? "--path " : ""}'${key}' VALUE`,
    },
  ];
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}... (${text.length} characters)` : text;
}
