import type { TlsConfig } from "../platformConfig";
import type { KubeClient, KubeObject } from "./kubeClient";
import type { PodTls } from "./podSocket";

/** Names that the certificate is looked up by. */
export interface TrustedServer {
  readonly namespace: string;
  readonly release: string;
  readonly tls?: TlsConfig | undefined;
}

/**
 * How a pod's certificate is checked: by the CA of the configured Secret, and by the pod's own name, which retry_join
 * uses too. Undefined for a listener without TLS; there is no way to skip the check (hazard F61).
 */
export function podTrust(
  kube: KubeClient,
  { namespace, release, tls }: TrustedServer,
  pod: string,
): (() => Promise<PodTls>) | undefined {
  if (tls === undefined) return undefined;
  // The copy of step final-snapshot listens on its own loopback only, and has no certificate.
  if (!new RegExp(`^${release}-\\d+$`).test(pod)) return undefined;
  const servername = tls.serverName ?? `${pod}.${release}-internal`;
  let ca: Promise<string> | undefined;
  return async () => {
    // One read for all connections; a failed one is not kept, so that the next connection asks again.
    ca ??= readCa(kube, namespace, tls);
    try {
      return { ca: await ca, servername };
    } catch (error) {
      ca = undefined;
      throw error;
    }
  };
}

/** @throws Error when the Secret or its key is absent, or holds no certificate. */
async function readCa(kube: KubeClient, namespace: string, tls: TlsConfig): Promise<string> {
  type Secret = KubeObject & { data?: Record<string, string> };
  const secret = await kube.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${tls.caSecret}`);
  const text = Buffer.from(secret.data?.[tls.caKey] ?? "", "base64").toString("utf8");
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Error(
    `key "${tls.caKey}" of Secret ${namespace}/${tls.caSecret} holds no certificate, expected the CA of the listener as PEM; set "openbao-migration:tls" [F61]`,
  );
}
