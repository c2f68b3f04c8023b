import { z } from "zod";
import type { MigrationConfig } from "../../config";

/** Environment variable that carries a step's values, as JSON. None of them is a secret. */
export const STEP_INPUT = "OPENBAO_MIGRATION_STEP";

const schema = z.strictObject({
  step: z.string(),
  context: z.string().optional(),
  namespace: z.string(),
  release: z.string(),
  replicas: z.number().int(),
  keySecret: z.strictObject({ name: z.string(), unsealKey: z.string(), rootToken: z.string() }),
  podTimeoutSeconds: z.number(),
  copyTimeoutSeconds: z.number(),
  volatile: z.array(z.string()),
  /** Only for step carry, in bytes. */
  maxEntryBytes: z.number().int().optional(),
  git: z
    .strictObject({
      checkout: z.string(),
      branch: z.string(),
      helmRelease: z.string(),
      variables: z.string().optional(),
      replicasVariable: z.string(),
      push: z.boolean(),
    })
    .optional(),
});

export type StepInput = z.infer<typeof schema>;

/** The values of one step; those that only stage land uses are left out elsewhere, so that a new one runs no old step. */
export function stepInput(step: string, config: MigrationConfig, withGit: boolean): StepInput {
  return {
    step,
    ...(config.context !== undefined && { context: config.context }),
    namespace: config.namespace,
    release: config.release,
    replicas: config.replicas,
    keySecret: config.keySecret,
    podTimeoutSeconds: config.podTimeoutSeconds,
    copyTimeoutSeconds: config.copyTimeoutSeconds,
    volatile: config.inventory.volatile,
    ...(withGit && config.git !== undefined && { git: config.git }),
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
