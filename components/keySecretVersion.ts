import { valueOr } from "./gate/observed";
import type { ClusterSnapshot } from "./gate/snapshot";

/** Version of the key Secret as the gate saw it; the proof of the key follows it (hazard F26). */
export function keySecretVersion(snapshot: ClusterSnapshot): { readonly keySecretVersion?: string } {
  const version = valueOr(snapshot.keySecret, undefined)?.resourceVersion;
  return version === undefined ? {} : { keySecretVersion: version };
}
