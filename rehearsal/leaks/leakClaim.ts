import { readFileSync } from "node:fs";
import { loadKubeConfig, type KubeClient } from "../../components/cluster/kubeClient";
import { escrowName } from "../../components/cluster/keySink";
import { NoKey, readKeySecret } from "../../components/cluster/keySecret";
import { auditLogPath } from "../cluster/cluster";
import { pkiFile, RUNNER } from "../cluster/pki";
import type { Claim } from "../outcome";
import { CANARY } from "../source/content";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";
import { objectsWith } from "./leakedObjects";
import { filesWith, forms } from "./leakScan";

const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };

/**
 * What every rehearsal ends with (hazards section 3): no key of before or after, no token and no generated value lies in
 * the run's folder (Pulumi's state and history, Git's objects, snapshots, logs), in the API server's audit log, or in what
 * the cluster shows without rights on Secrets.
 * @param throwAway whether the cluster, and so its audit log, is this project's
 */
export async function leakClaim(kube: KubeClient, runDir: string, throwAway: boolean): Promise<Claim> {
  // A run on a cluster of the user's own has its part of the kubeconfig in its folder.
  const keys = [...(await keysOf(kube)), ...(throwAway ? [clientKey(), runnerKey()] : [])];
  const secrets = [...keys, CANARY].flatMap(forms);
  const places = [
    ...filesWith(secrets, throwAway ? [runDir, auditLogPath()] : [runDir]),
    ...(await objectsWith(secrets, kube, SOURCE_NAMESPACE)),
  ];
  return {
    claim: "no key, token or value leaked (run folder, audit log, objects)",
    holds: places.length === 0,
    seen: places.length === 0 ? `${secrets.length} forms, none found` : `found in ${places.join(", ")}`,
  };
}

/** The held keys, and those that a reseed has put aside. */
async function keysOf(kube: KubeClient): Promise<string[]> {
  const held = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const kept = await readKeySecret(kube, SOURCE_NAMESPACE, {
    ...KEY_SECRET,
    name: escrowName(KEY_SECRET),
  }).catch((error: unknown) => {
    if (!(error instanceof NoKey)) throw error;
    return undefined;
  });
  return [held, kept].flatMap((keys) => (keys === undefined ? [] : [keys.unsealKey, keys.rootToken]));
}

/** That of the user whose kubeconfig Pulumi gets. */
function runnerKey(): string {
  return readFileSync(pkiFile(`${RUNNER}.key`), "utf8");
}

/** The private key of the kubeconfig, which opens all the others. */
function clientKey(): string {
  return Buffer.from(loadKubeConfig().getCurrentUser()?.keyData ?? "", "base64").toString("utf8");
}
