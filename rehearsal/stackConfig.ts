import { carryConfig } from "./carryRun";
import type { RehearsalOptions } from "./options";
import {
  HELM_RELEASE_FILE,
  RAFT_POLICY_FILE,
  REPLICA_FLOOR_FILE,
  VALUES_FILE,
  VARIABLES_FILE,
} from "./source/platformFiles";
import { useSops } from "./source/sopsCheckout";
import { TLS_CONFIG } from "./source/sourceTls";
import { ALERTS_CONFIG } from "./standins/prometheusOperator/alerts";

/** What a rehearsal's stack is told about its checkout, as the config key `git`. */
export function gitConfig(
  checkout: string,
  delivery: RehearsalOptions["delivery"],
  push: boolean,
): Readonly<Record<string, unknown>> {
  return {
    checkout,
    push,
    networkPolicy: RAFT_POLICY_FILE,
    replicaFloor: REPLICA_FLOOR_FILE,
    ...(delivery === "helm"
      ? { values: VALUES_FILE }
      : { helmRelease: HELM_RELEASE_FILE, variables: VARIABLES_FILE }),
  };
}

/** The stack's config, over that of Pulumi.dev.yaml. */
export async function stackConfig(
  options: RehearsalOptions,
  runDir: string,
  checkout: string,
  externalSecrets: readonly object[],
  log: (line: string) => void,
): Promise<Readonly<Record<string, unknown>>> {
  const keyCopy = options.sops && { keySecret: await useSops(checkout, runDir, log) };
  return {
    delivery: options.delivery,
    git: { ...gitConfig(checkout, options.delivery, options.flux), ...keyCopy },
    inventory: { volatile: ["secret/load/"] },
    externalSecrets,
    ...(options.context === undefined && { alerts: ALERTS_CONFIG }),
    ...(options.tls && { tls: TLS_CONFIG }),
    ...carryConfig(options.carry, runDir),
  };
}
