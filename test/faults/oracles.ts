import type { KubeClient } from "../../components/cluster/kubeClient";
import { readKeySecret } from "../../components/cluster/keySecret";
import { claimsOfReseed, clusterIdOf } from "../../rehearsal/carryRun";
import { cleanupClaims } from "../../rehearsal/cleanupClaims";
import { fileStorageClaim } from "../../rehearsal/fileStorageClaim";
import type { LoadLog } from "../../rehearsal/load/loadLog";
import { claimsOf, observeOutcome, type Claim } from "../../rehearsal/outcome";
import type { PulumiStack } from "../../rehearsal/pulumiStack";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import type { MovePath } from "./movePath";
import { untilReady } from "./podReady";

const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
const PODS = ["openbao-0", "openbao-1", "openbao-2"];

/** What a move is held against at its end. */
export interface StoreBefore {
  readonly keys: { readonly unsealKey: string; readonly rootToken: string };
  readonly clusterId: string;
}

export async function lookBefore(kube: KubeClient): Promise<StoreBefore> {
  return {
    keys: await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET),
    clusterId: await clusterIdOf(kube, "openbao-0"),
  };
}

interface Moved {
  readonly kube: KubeClient;
  readonly seed: string;
  readonly keys: number;
  readonly path: MovePath;
  readonly stack: PulumiStack;
  readonly before: StoreBefore;
  /** Of the client load; undefined for a reseed. */
  readonly seen: LoadLog | undefined;
  readonly noChange: boolean;
}

/** Each claim of a passed move that the cluster does not bear out, or why it could not be looked at, in words. */
export async function unheldClaims(moved: Moved): Promise<string[]> {
  try {
    return (await claimsOfMove(moved))
      .filter(({ holds }) => !holds)
      .map(({ claim, seen }) => `${claim}: ${seen}`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function claimsOfMove({
  kube,
  seed,
  keys,
  path: { carry, cleanup },
  stack,
  before,
  seen,
  noChange,
}: Moved): Promise<Claim[]> {
  if (seen === undefined) return await claimsOfReseed(kube, before.keys, before.clusterId, noChange);
  const outcome = await observeOutcome(kube, [seen], { seed, keys });
  const { evidence } = await stack.outputs();
  const claims = claimsOf(outcome, seen, noChange, evidence, carry);
  if (carry !== "migrate") return claims;
  return [...claims, ...(cleanup ? await cleanupClaims(kube) : [await fileStorageClaim(kube)])];
}

/** Only a reseed makes new keys. */
export async function keyFaults({
  kube,
  path: { carry },
  before,
}: Pick<Moved, "kube" | "path" | "before">): Promise<string[]> {
  if (carry === "reseed") return [];
  const after = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const same = after.unsealKey === before.keys.unsealKey && after.rootToken === before.keys.rootToken;
  return same ? [] : ["the key Secret is not what it was before"];
}

/** Every key and root token that the move has met: the old ones, and those in the Secret now. */
export async function secretsOf(kube: KubeClient, { keys }: StoreBefore): Promise<string[]> {
  const now = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  return [...new Set([keys, now].flatMap(({ unsealKey, rootToken }) => [unsealKey, rootToken]))];
}

/**
 * The last fault may have evicted them, and what the hook does takes a while. The program has no part in it: its run has
 * ended, and what the fault took away is to come back by itself.
 * @throws Error that names the server that does not, after 2 minutes
 */
export async function untilServersAreReady(kube: KubeClient): Promise<void> {
  for (const pod of PODS) await untilReady(kube, pod, `pod ${pod} to be Ready after the last run`);
}
