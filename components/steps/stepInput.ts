import { z } from "zod";
import type { MigrationConfig } from "../../config";
import { reseedSchema, snapshotSchema } from "../carryConfig";
import { DELIVERIES } from "../delivery/releaseReader";
import { planParts } from "../evidence/planDigest";
import { tlsSchema } from "../platformConfig";
import { raftTiming } from "../raftKeys";
import { carryPath } from "./carryPath";
import type { PlanStage } from "./plan";

/** Environment variable that carries a step's values, as JSON. None of them is a secret. */
export const STEP_INPUT = "OPENBAO_MIGRATION_STEP";

const schema = z.strictObject({
  step: z.string(),
  context: z.string().optional(),
  namespace: z.string(),
  release: z.string(),
  /** Who applies the chart; absent means flux. */
  delivery: z.enum(DELIVERIES).optional(),
  replicas: z.number().int(),
  keySecret: z.strictObject({ name: z.string(), unsealKey: z.string(), rootToken: z.string() }),
  podTimeoutSeconds: z.number(),
  copyTimeoutSeconds: z.number(),
  volatile: z.array(z.string()),
  /** Only for step key-proof: a Secret that was written anew is proven anew. */
  keySecretVersion: z.string().optional(),
  /** The data path; absent means migrate. */
  path: z.enum(["migrate", "restore", "restore-file", "reseed", "none"]).optional(),
  snapshot: snapshotSchema.optional(),
  reseed: reseedSchema.optional(),
  /** Only for step carry, in bytes. */
  maxEntryBytes: z.number().int().optional(),
  /** Only for the steps passed-STAGE: the plan that the gate let through. */
  plan: planParts.optional(),
  /** Only for the same: ids of the stage's steps that this config asks for, in their order. */
  stageSteps: z.array(z.string()).optional(),
  git: z
    .strictObject({
      checkout: z.string(),
      branch: z.string(),
      helmRelease: z.string().optional(),
      values: z.string().optional(),
      variables: z.string().optional(),
      replicasVariable: z.string(),
      talosPatch: z.string().optional(),
      networkPolicy: z.string().optional(),
      replicaFloor: z.string().optional(),
      keySecret: z.string().optional(),
      push: z.boolean(),
    })
    .optional(),
  /** Only for the steps that it concerns. */
  talos: z.strictObject({ nodeSubnets: z.array(z.string()), nodes: z.array(z.string()) }).optional(),
  externalSecrets: z.array(z.strictObject({ namespace: z.string(), name: z.string() })).optional(),
  tls: tlsSchema.optional(),
  /** Only for stage land; absent means OpenBao's own timing. */
  performanceMultiplier: z.number().int().optional(),
  /** Only for step zero-drift: name and version of the chart that the gate saw. */
  chart: z.string().optional(),
  /** Only for stage cleanup. */
  cleanup: z.strictObject({ fileData: z.string() }).optional(),
});

export type StepInput = z.infer<typeof schema>;

/** Stages whose steps look at the Git checkout. */
const WITH_GIT: readonly PlanStage[] = ["land", "rollback"];

/** The values of one step; those that only some stages use are left out elsewhere, so that a new one runs no old step. */
export function stepInput(step: string, config: MigrationConfig, stage: PlanStage): StepInput {
  return {
    step,
    ...(config.context !== undefined && { context: config.context }),
    namespace: config.namespace,
    release: config.release,
    ...(config.delivery !== "flux" && { delivery: config.delivery }),
    replicas: config.replicas,
    keySecret: config.keySecret,
    podTimeoutSeconds: config.podTimeoutSeconds,
    copyTimeoutSeconds: config.copyTimeoutSeconds,
    volatile: config.inventory.volatile,
    ...(config.carry !== "migrate" && { path: carryPath(config) }),
    ...(config.snapshot !== undefined && { snapshot: config.snapshot }),
    ...(config.reseed !== undefined && { reseed: config.reseed }),
    ...(config.tls !== undefined && { tls: config.tls }),
    ...((WITH_GIT.includes(stage) || step === "git-keys") && config.git !== undefined && { git: config.git }),
    ...(stage === "land" && raftTiming(config.performanceMultiplier)),
    ...(stage === "cleanup" && config.cleanup !== undefined && { cleanup: config.cleanup }),
    ...((step === "talos-firewall" || stage === "land") &&
      config.talos !== undefined && { talos: config.talos }),
    ...(step === "external-secrets" && { externalSecrets: config.externalSecrets }),
  };
}

/** @throws Error that says what a step run by hand needs. */
export function readStepInput(environment: NodeJS.ProcessEnv): StepInput {
  const text = environment[STEP_INPUT];
  if (text === undefined) {
    throw new Error(`${STEP_INPUT} is not set; a step gets its values from it as JSON (see docs/steps.md)`);
  }
  return schema.parse(JSON.parse(text));
}
